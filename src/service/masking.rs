//! Personal numbers masked before anything else is done with what came.

use bytes::Bytes;
use prost::Message;

use super::Service;
use super::event::Head;
use super::tenant::Tenant;
use crate::core::event::Event;
use crate::ingest::CallRecord;
use crate::ingest::mask::{Number, find_in_event, mask, mask_attributes, mask_event, mask_wire_event};
use crate::wire::v1;

impl Service {
    /// Masks an event and what was told of its call, if the tenant has it so; keyed hashes of the numbers in it, masked or not, where they are kept.
    pub(super) fn masked(
        &self,
        tenant: &Tenant,
        head: Option<&mut Head>,
        event: &mut Option<Result<Event, String>>,
        body: &mut Bytes,
    ) -> Vec<[u8; 16]> {
        let mut numbers = Vec::new();
        let mut found = |number: Number| numbers.extend(self.mask_key.as_ref().map(|key| key.fingerprint(&number)));
        if !tenant.settings.mask {
            // What is kept in clear is to be found by its number, too.
            if self.mask_key.is_some() {
                head.iter().flat_map(|head| head.attributes.values()).for_each(|value| drop(mask(value, &mut found)));
                event.iter().flatten().for_each(|event| find_in_event(event, &mut found));
            }
            numbers.dedup();
            return numbers;
        }
        if let Some(head) = head {
            mask_attributes(&mut head.attributes, &mut found);
        }
        match event {
            Some(Ok(event)) => {
                if mask_event(event, &mut found)
                    && let Ok(mut message) = v1::CallEvent::decode(body.clone())
                {
                    mask_wire_event(&mut message, &mut |_| ());
                    *body = Bytes::from(message.encode_to_vec());
                }
            }
            Some(Err(reason)) => {
                if let Some(masked) = mask(reason, &mut found) {
                    *reason = masked;
                }
            }
            None => {}
        }
        numbers.dedup();
        numbers
    }

    /// Masks a whole call, likewise.
    pub(super) fn masked_record(&self, tenant: &Tenant, record: &mut CallRecord) -> Vec<[u8; 16]> {
        let mut numbers = Vec::new();
        let mut found = |number: Number| numbers.extend(self.mask_key.as_ref().map(|key| key.fingerprint(&number)));
        if tenant.settings.mask {
            record.mask(&mut found);
        } else if self.mask_key.is_some() {
            record.clone().mask(&mut found);
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}
