//! The exit codes that all programs share.

use serde::{Deserialize, Serialize};

/// How a program ended, as the number its caller sees.
///
/// Units derive `SuccessExitStatus=` and `Restart=` from this table; phc(7) prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// Everything asked for is done.
    Done,
    /// Done, with problems that were reported.
    Partial,
    /// Wrong usage or configuration: repeating it changes nothing.
    Usage,
    /// A guard refused the plan; nothing was touched.
    Refused,
    /// Failed.
    Failed,
    /// Try again later: storage away or not provably the real one, lock held.
    TryLater,
    /// Stopped in order by SIGINT.
    Interrupted,
    /// Stopped in order by SIGTERM.
    Terminated,
    /// A bug in the program (sysexits.h `EX_SOFTWARE`).
    Bug,
}

impl Exit {
    /// Every exit, in the order of the manual.
    pub const ALL: [Exit; 9] = [
        Exit::Done,
        Exit::Partial,
        Exit::Usage,
        Exit::Refused,
        Exit::Failed,
        Exit::Bug,
        Exit::TryLater,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// What it means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Partial => "done, with problems that were reported",
            Exit::Usage => "wrong usage or configuration; repeating it changes nothing",
            Exit::Refused => "refused by a guard; nothing was touched",
            Exit::Failed => "failed",
            Exit::Bug => "a bug in the program",
            Exit::TryLater => {
                "try again later: storage away or not provably the real one, or another run at work"
            }
            Exit::Interrupted => "stopped in order by SIGINT",
            Exit::Terminated => "stopped in order by SIGTERM",
        }
    }

    /// The number given to the operating system.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Partial => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Failed => 4,
            Exit::TryLater => 75,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
            Exit::Bug => 70,
        }
    }

    /// The worse of two exits, when one program did several things in turn.
    ///
    /// A stop outranks all, since what came after it was not done; then
    /// 70, 2, 4, 3, 75, 1, 0.
    pub fn worst(self, other: Exit) -> Exit {
        if other.rank() > self.rank() { other } else { self }
    }

    fn rank(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Partial => 1,
            Exit::TryLater => 2,
            Exit::Refused => 3,
            Exit::Failed => 4,
            Exit::Usage => 5,
            Exit::Bug => 6,
            Exit::Interrupted => 7,
            Exit::Terminated => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_worst_of_several_follows_the_documented_order() {
        let order =
            [Exit::Bug, Exit::Failed, Exit::Refused, Exit::TryLater, Exit::Partial, Exit::Done];
        for (i, worse) in order.iter().enumerate() {
            for better in &order[i..] {
                assert_eq!(worse.worst(*better), *worse);
                assert_eq!(better.worst(*worse), *worse);
            }
        }
    }
}
