//! [`Kind`]: what is to become of a value, as the value itself says.

use serde_json::Value;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Good,
    /// Its file does not parse.
    Syntax,
    /// It does not decode into what streams are of.
    Type,
    /// Its schema refuses it.
    Schema,
    /// A check refuses it, panics, or does not return.
    Check,
    CheckPanic,
    CheckHang,
    /// A handler refuses to prepare for it, panics, or is not ready in time.
    Veto,
    PreparePanic,
    PrepareHang,
    /// A handler fails with it that it stands or falls with.
    CriticalError,
    CriticalPanic,
    CriticalHang,
    /// A handler fails with it that does not matter so much.
    ExtraError,
    ExtraPanic,
    ExtraHang,
}

/// What is to become of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is applied and stays.
    Stays,
    /// It is applied and undone.
    IsUndone,
    /// Nobody ever sees it.
    IsRefused,
}

/// How often each is made, so that what takes its time is rare.
pub(crate) const MIXTURE: [(u64, Kind); 16] = [
    (40, Kind::Good),
    (6, Kind::Syntax),
    (5, Kind::Type),
    (5, Kind::Schema),
    (5, Kind::Check),
    (3, Kind::CheckPanic),
    (1, Kind::CheckHang),
    (6, Kind::Veto),
    (4, Kind::PreparePanic),
    (2, Kind::PrepareHang),
    (7, Kind::CriticalError),
    (4, Kind::CriticalPanic),
    (2, Kind::CriticalHang),
    (5, Kind::ExtraError),
    (3, Kind::ExtraPanic),
    (2, Kind::ExtraHang),
];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Syntax => "syntax",
            Self::Type => "type",
            Self::Schema => "schema",
            Self::Check => "check",
            Self::CheckPanic => "check-panic",
            Self::CheckHang => "check-hang",
            Self::Veto => "veto",
            Self::PreparePanic => "prepare-panic",
            Self::PrepareHang => "prepare-hang",
            Self::CriticalError => "critical-error",
            Self::CriticalPanic => "critical-panic",
            Self::CriticalHang => "critical-hang",
            Self::ExtraError => "extra-error",
            Self::ExtraPanic => "extra-panic",
            Self::ExtraHang => "extra-hang",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        MIXTURE.into_iter().map(|(_, kind)| kind).find(|kind| kind.name() == name)
    }

    pub(crate) fn fate(self) -> Fate {
        match self {
            Self::Good | Self::ExtraError | Self::ExtraPanic | Self::ExtraHang => Fate::Stays,
            Self::CriticalError | Self::CriticalPanic | Self::CriticalHang => Fate::IsUndone,
            _ => Fate::IsRefused,
        }
    }
}

/// The kind of a configuration's value, which is in a table of the configuration's name.
pub(crate) fn kind_of(config: &str, value: &Value) -> Option<Kind> {
    Kind::named(value[config]["kind"].as_str()?)
}
