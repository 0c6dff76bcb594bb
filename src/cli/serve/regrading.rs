//! Jobs that grade kept calls anew.

use std::num::NonZeroU32;

use clap::Args;

use crate::service::regrading::RegradingOptions;

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct RegradingFlags {
    /// Most jobs of a tenant that wait to grade kept calls anew; 0: any number
    #[arg(long, value_name = "JOBS", default_value_t = RegradingOptions::default().queued.unwrap_or(0), help_heading = "Limits")]
    max_queued_regrades: usize,
    /// Most kept calls that are graded anew in a second; 0: as many as there is time for
    #[arg(long, value_name = "CALLS", default_value_t = 0, help_heading = "Limits")]
    max_regrade_rate: u32,
    /// Delete jobs that grade kept calls anew, with their results, this many days after they ended; 0: never
    #[arg(long, value_name = "DAYS", default_value_t = RegradingOptions::default().retention_days.unwrap_or(0))]
    regrade_retention_days: u32,
}

impl RegradingFlags {
    pub(super) fn options(self) -> RegradingOptions {
        RegradingOptions {
            queued: Some(self.max_queued_regrades).filter(|most| *most > 0),
            rate: NonZeroU32::new(self.max_regrade_rate),
            retention_days: Some(self.regrade_retention_days).filter(|days| *days > 0),
        }
    }
}
