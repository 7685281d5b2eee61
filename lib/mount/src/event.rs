//! What `phc-mount` tells.

use model::event::Payload;
use model::problem::Problem;
use model::sentinel::Pillar;
use model::text::Text;
use serde::{Deserialize, Serialize};
use store::space::SpaceRoot;
use uuid::Uuid;

/// The tool's name in event types and sources.
pub const TOOL: &str = "mount";

/// `phc.mount.pillar.adopted`: a directory was adopted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Adopted {
    /// The pillar.
    pub pillar: Pillar,
    /// The directory, its links resolved.
    pub path: Text,
    /// The volume's id.
    pub id: Uuid,
    /// True if it may lie on a disk of this machine.
    pub local: bool,
    /// True if its sentinel was written just now.
    pub written: bool,
    /// The id that was pinned before, where that was another.
    pub former: Option<Uuid>,
}

impl Payload for Adopted {
    const NOUN_VERB: &'static str = "pillar.adopted";

    fn subject(&self) -> Option<String> {
        Some(self.pillar.to_string())
    }
}

/// `phc.mount.ready`: a pillar is there and proven to be the real one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ready {
    /// The pillar.
    pub pillar: Pillar,
    /// The directory.
    pub path: Text,
    /// The volume's id.
    pub id: Uuid,
}

impl Ready {
    /// What is told of a proven pillar.
    pub fn of(root: &SpaceRoot) -> Ready {
        Ready { pillar: root.pillar(), path: root.path().into(), id: root.id() }
    }
}

impl Payload for Ready {
    const NOUN_VERB: &'static str = "ready";

    fn subject(&self) -> Option<String> {
        Some(self.pillar.to_string())
    }
}

/// `phc.mount.refused`: what stands in a pillar's place is not provably the real one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Refused {
    /// The pillar.
    pub pillar: Pillar,
    /// Why.
    pub problem: Problem,
}

impl Payload for Refused {
    const NOUN_VERB: &'static str = "refused";

    fn subject(&self) -> Option<String> {
        Some(self.pillar.to_string())
    }
}
