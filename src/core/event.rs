//! What happens on a call, as the core sees it: typed, checked, and without a trace of the wire it came over.

/// Something that happened on a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Milliseconds since dialing began; of an utterance, when its sound began.
    pub at_ms: u32,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// Someone or something picked up.
    Answered,
    /// Dialing ended with nobody picking up.
    NotConnected(Box<DialReport>),
    /// Answering machine detection spoke; `None`: it could not tell.
    AnsweredBy(Option<Answerer>),
    /// Something was said.
    Utterance(Utterance),
    /// The robot went to a node of its script, named in the dialer's own words.
    NodeEntered(Box<str>),
    /// The customer gave no input for this many milliseconds.
    Silence(u32),
    /// The dialer's own recogniser saw a keyword.
    KeywordTriggered(Box<Keyword>),
    /// The dialer's own recogniser heard a refusal, in the customer's utterance of this id if one is given.
    Refused(Option<Box<str>>),
    /// The dialer knows how the invite ended.
    InviteOutcome(Outcome),
    /// The call was hung up.
    Hangup(Box<Hangup>),
    /// Keys were pressed.
    Dtmf(Box<str>),
    /// The call went to a human agent.
    Transferred(Box<str>),
    /// A kind this version does not know: it keeps its place and is ignored.
    Unknown,
}

/// How dialing ended, in whichever terms the dialer has; all may be absent. See [`crate::core::dial`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialReport {
    /// The dialer's own conclusion.
    pub result: Option<DialResult>,
    /// The final SIP response (RFC 3261), 0 if none.
    pub sip_code: u32,
    /// The ITU-T Q.850 cause, 0 if none.
    pub q850_cause: u32,
    /// FreeSWITCH's name of the cause, such as `USER_BUSY`.
    pub hangup_cause: Box<str>,
    /// What the network's recorded voice said.
    pub announcement: Box<str>,
    /// The number state 2–20 of an early-media detector (da2), 0 if none.
    pub number_state: u32,
}

/// Something said by one side.
#[derive(Debug, Clone, PartialEq)]
pub struct Utterance {
    /// Who spoke.
    pub speaker: Speaker,
    /// The words.
    pub text: Box<str>,
    /// How long it lasted, 0 if unknown.
    pub duration_ms: u32,
    /// Robot: the node whose prompt this is, in the dialer's words; empty if unknown.
    pub node_id: Box<str>,
    /// Robot: share of the prompt that was played, 0 to 1.
    pub played: Option<f64>,
    /// With the speaker, the key under which a later one replaces this one; empty: never replaced.
    pub utterance_id: Box<str>,
    /// The recogniser may still change the text.
    pub interim: bool,
}

/// A keyword that the dialer reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword {
    /// A lexicon category or trigger-question id, in the dialer's words.
    pub category: Box<str>,
    /// The word itself.
    pub keyword: Box<str>,
    /// The customer's utterance it was heard in; empty: the turn at hand.
    pub utterance_id: Box<str>,
}

/// The end of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hangup {
    /// Who hung up.
    pub by: Option<Party>,
    /// The codes, which decide the dial result if nobody had answered.
    pub report: DialReport,
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in the order of the wire numbers from 1.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in signals, rules and case files.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value of a name as [`as_str`](Self::as_str) gives it.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named!(
    /// Why nobody could be talked to.
    DialResult {
        /// The line was in use.
        Busy => "busy",
        /// It rang and nobody picked up.
        NoAnswer => "no_answer",
        /// The network could not reach the phone.
        Unreachable => "unreachable",
        /// The phone was switched off.
        PoweredOff => "powered_off",
        /// The number is suspended, for arrears or otherwise.
        Suspended => "suspended",
        /// The number is not in use or malformed.
        InvalidNumber => "invalid_number",
        /// The called party declined.
        Rejected => "rejected",
        /// The network or the caller's own line failed; also when nothing decides.
        Failed => "failed",
    }
);
named!(
    /// Who or what picked up.
    Answerer {
        /// A person.
        Human => "human",
        /// A company's switchboard or menu.
        Switchboard => "switchboard",
        /// A fax machine.
        Fax => "fax",
        /// A voicemail box.
        Voicemail => "voicemail",
        /// A phone's call assistant that speaks for its owner.
        Assistant => "assistant",
    }
);
named!(
    /// Who speaks.
    Speaker {
        /// The phone robot.
        Robot => "robot",
        /// The far side.
        Customer => "customer",
        /// A human agent of ours: triggers nothing and is no flow.
        Agent => "agent",
    }
);
named!(
    /// How the invite ended.
    Outcome {
        /// The customer takes it.
        Accepted => "accepted",
        /// The customer does not.
        Declined => "declined",
    }
);
named!(
    /// Who hung up.
    Party {
        /// The far side.
        Customer => "customer",
        /// The phone robot.
        Robot => "robot",
        /// Nobody: the network dropped the call.
        Network => "network",
        /// A human agent of ours.
        Agent => "agent",
    }
);

impl Answerer {
    /// Whether nobody can be talked to: everything but a person.
    #[must_use]
    pub const fn is_machine(self) -> bool {
        !matches!(self, Self::Human)
    }
}
