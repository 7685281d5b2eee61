//! Every state once where it is found and once where it is not, from pasted mount tables.

use host::mounts;
use model::problem::Code;
use model::sentinel::{Pillar, Sentinel};
use uuid::Uuid;

use super::{Answer, State, Verdict, judge};
use crate::expect::Expected;
use crate::look::{Folder, Found, Look};
use crate::origin::Origin;

const SPACE: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

/// A workstation's table: root, an SMB share, an automount that delivered and one that
/// did not, a disk of its own, a share mounted over it, a read-only remount, and the
/// doubled bind mount that systemd makes for `ReadWritePaths=`.
const TABLE: &[u8] = b"\
22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro\n\
40 22 0:44 / /space rw,nosuid,nodev,relatime shared:20 - cifs //akira.tail.example/space rw,vers=3.1.1,cache=strict,username=miket,soft,echo_interval=10\n\
41 22 0:45 / /auto/space rw,relatime shared:21 - autofs systemd-1 rw,fd=60,pgrp=1,timeout=600,minproto=5,maxproto=5,direct\n\
42 41 0:46 / /auto/space rw,relatime shared:22 - cifs //akira/space rw,vers=3.1.1\n\
43 22 0:47 / /auto/time rw,relatime shared:23 - autofs systemd-1 rw,fd=61,pgrp=1,timeout=600,minproto=5,maxproto=5,direct\n\
44 22 8:16 / /disk rw,noatime shared:24 - btrfs /dev/sdb rw,space_cache=v2\n\
45 22 8:32 / /stack rw,noatime shared:25 - ext4 /dev/sdc rw\n\
46 45 0:48 / /stack rw,nosuid shared:26 - cifs //akira/space rw\n\
47 22 8:48 / /ro ro,noatime shared:27 - ext4 /dev/sdd rw\n\
48 22 8:64 /data /twice rw,noatime shared:28 - xfs /dev/sde rw\n\
49 48 8:64 /data /twice rw,noatime shared:28 - xfs /dev/sde rw\n\
50 22 0:50 / /my\\040space rw,nosuid - nfs4 akira:/export/space rw,vers=4.2\n";

fn expected(path: &str) -> Expected {
    Expected {
        pillar: Pillar::Space,
        path: path.into(),
        id: Some(SPACE),
        local: false,
        origin: None,
        fs_types: Vec::new(),
        required: true,
    }
}

fn sentinel(pillar: Pillar, id: Uuid) -> Found {
    let created = "2026-01-01T00:00:00Z".parse().unwrap();
    Found::Text(serde_json::to_string(&Sentinel { schema: 1, pillar, id, created }).unwrap())
}

/// A directory on a mount of the table, with the right sentinel.
fn folder(path: &str, mount: u64) -> Folder {
    Folder {
        path: path.into(),
        mount_id: Some(mount),
        empty: Some(false),
        read_only: false,
        volume: None,
        total: None,
        free: None,
        sentinel: sentinel(Pillar::Space, SPACE),
    }
}

fn found(expected: &Expected, folder: Folder) -> Verdict {
    judge(expected, &mounts::parse(TABLE), &Answer::Look(Look::Folder(folder)))
}

fn state(expected: &Expected, folder: Folder) -> (State, Option<Code>) {
    let verdict = found(expected, folder);
    (verdict.state, verdict.code)
}

const HEALTHY: (State, Option<Code>) = (State::Healthy, None);

#[test]
fn the_real_one_is_healthy_wherever_it_is_mounted_from() {
    for (path, mount) in
        [("/space", 40), ("/auto/space", 42), ("/disk", 44), ("/twice", 49), ("/my space", 50)]
    {
        assert_eq!(state(&expected(path), folder(path, mount)), HEALTHY, "{path}");
    }
    let verdict = found(&expected("/space"), folder("/space", 40));
    assert_eq!(verdict.sentinel.unwrap().id, SPACE);
}

#[test]
fn where_the_kernel_tells_no_mount_id_the_path_decides() {
    let unknown = |path: &str| Folder { mount_id: None, ..folder(path, 0) };
    assert_eq!(state(&expected("/space"), unknown("/space")), HEALTHY);
    assert_eq!(state(&expected("/srv"), unknown("/srv")).0, State::Shadow);
}

#[test]
fn the_bare_mount_point_is_never_taken_not_even_with_the_right_sentinel() {
    let away = |state| (state, Some(Code::SpaceAway));
    assert_eq!(state(&expected("/flux"), folder("/flux", 22)), away(State::Shadow));
    let empty = Folder { empty: Some(true), sentinel: Found::Nothing, ..folder("/flux", 22) };
    assert_eq!(state(&expected("/flux"), empty.clone()), away(State::NotMounted));
    assert_eq!(
        state(
            &expected("/auto/time"),
            Folder { mount_id: Some(43), path: "/auto/time".into(), ..empty }
        ),
        away(State::NotMounted)
    );
    let unlisted = Folder { empty: None, ..folder("/flux", 22) };
    assert_eq!(state(&expected("/flux"), unlisted), away(State::Shadow));
    let below = folder("/space/devices", 40);
    assert_eq!(state(&expected("/space/devices"), below), away(State::Shadow));
    assert_eq!(
        state(&expected("/"), folder("/", 22)),
        away(State::Shadow),
        "the system's own root"
    );
    assert_eq!(state(&expected("/gone"), folder("/gone", 99)), away(State::Shadow), "detached");
    let local = Expected { local: true, ..expected("/flux") };
    assert_eq!(state(&local, folder("/flux", 22)), HEALTHY);
    assert_eq!(state(&local, folder("/flux", 99)), HEALTHY, "a chroot's root is in no table");
}

#[test]
fn another_server_share_or_file_system_is_refused() {
    let from = |source: &str| Expected { origin: Origin::parse(source), ..expected("/space") };
    let wrong = |state| (state, Some(Code::SpaceWrongMount));
    assert_eq!(state(&from("//akira/space"), folder("/space", 40)), HEALTHY);
    assert_eq!(state(&from("//motoko/space"), folder("/space", 40)), wrong(State::WrongSource));
    assert_eq!(state(&from("//akira/flux"), folder("/space", 40)), wrong(State::WrongSource));
    let disk = Expected { path: "/disk".into(), ..from("//akira/space") };
    assert_eq!(state(&disk, folder("/disk", 44)), wrong(State::WrongSource));
    let typed = |types: &[&str]| Expected {
        fs_types: types.iter().map(|t| (*t).to_owned()).collect(),
        ..expected("/space")
    };
    assert_eq!(state(&typed(&["nfs4", "cifs"]), folder("/space", 40)), HEALTHY);
    assert_eq!(state(&typed(&["ext4"]), folder("/space", 40)), wrong(State::WrongType));
    let local = Expected { local: true, path: "/srv/space".into(), ..typed(&["btrfs"]) };
    assert_eq!(state(&local, folder("/srv/space", 22)), wrong(State::WrongType));
}

#[test]
fn a_stack_is_told_and_refused_unless_the_real_one_lies_on_top() {
    let stack = expected("/stack");
    assert_eq!(state(&stack, folder("/stack", 46)), (State::OverMounted, None));
    let disk = Expected { fs_types: vec!["ext4".into()], ..stack.clone() };
    assert_eq!(
        state(&disk, folder("/stack", 46)),
        (State::OverMounted, Some(Code::SpaceWrongMount))
    );
    let hidden = Folder { sentinel: Found::Nothing, ..folder("/stack", 46) };
    let verdict = found(&stack, hidden);
    assert_eq!((verdict.state, verdict.code), (State::OverMounted, Some(Code::SpaceUnadopted)));
    assert!(verdict.message.contains("/dev/sdc"), "{}", verdict.message);
}

#[test]
fn only_the_pinned_sentinel_of_this_pillar_is_ours() {
    let with = |sentinel| state(&expected("/disk"), Folder { sentinel, ..folder("/disk", 44) });
    let foreign = |state| (state, Some(Code::SpaceForeign));
    assert_eq!(with(sentinel(Pillar::Space, OTHER)), foreign(State::ForeignSentinel));
    assert_eq!(with(sentinel(Pillar::Flux, SPACE)), foreign(State::WrongVolume));
    for broken in ["", "{}", "null", r#"{"schema":1}"#, "\0\0\0\0"] {
        assert_eq!(with(Found::Text(broken.into())), foreign(State::ForeignSentinel), "{broken:?}");
    }
    let later = r#"{"schema":2,"pillar":"space","id":"00000000-0000-0000-0000-000000000001","created":"2026-01-01T00:00:00Z"}"#;
    assert_eq!(with(Found::Text(later.into())), foreign(State::ForeignSentinel));
    assert_eq!(with(Found::Unreadable("I/O error".into())), foreign(State::ForeignSentinel));
    assert_eq!(with(Found::Nothing), (State::NoSentinel, Some(Code::SpaceUnadopted)));
}

#[test]
fn what_nobody_adopted_is_unadopted_with_a_sentinel_and_without() {
    let new = |path: &str| Expected { id: None, ..expected(path) };
    let unadopted = Some(Code::SpaceUnadopted);
    assert_eq!(state(&new("/disk"), folder("/disk", 44)), (State::Unadopted, unadopted));
    assert_eq!(state(&new("/home"), folder("/home", 22)), (State::Unadopted, unadopted));
    let bare = Folder { sentinel: Found::Nothing, ..folder("/home", 22) };
    assert_eq!(state(&new("/home"), bare), (State::Shadow, unadopted));
}

#[test]
fn read_only_is_told_by_the_table_or_by_the_file_system() {
    let read_only = (State::ReadOnly, Some(Code::SpaceReadOnly));
    assert_eq!(state(&expected("/ro"), folder("/ro", 47)), read_only);
    let itself = Folder { read_only: true, ..folder("/disk", 44) };
    assert_eq!(state(&expected("/disk"), itself), read_only);
    let foreign = Folder { sentinel: sentinel(Pillar::Space, OTHER), ..folder("/ro", 47) };
    assert_eq!(state(&expected("/ro"), foreign).0, State::ForeignSentinel, "the worse is told");
}

#[test]
fn what_does_not_answer_is_stale_and_never_healthy() {
    let judged = |answer| {
        let verdict = judge(&expected("/space"), &mounts::parse(TABLE), &answer);
        (verdict.state, verdict.code)
    };
    let stale = (State::Stale, Some(Code::SpaceStale));
    assert_eq!(judged(Answer::TimedOut), stale);
    assert_eq!(judged(Answer::Nothing("no such program".into())), stale);
    assert_eq!(judged(Answer::Look(Look::Failed("Stale file handle".into()))), stale);
    let away = |state| (state, Some(Code::SpaceAway));
    assert_eq!(judged(Answer::Look(Look::Missing)), away(State::NoMountPoint));
    assert_eq!(judged(Answer::Look(Look::NotFolder)), away(State::NoMountPoint));
    assert_eq!(judged(Answer::Look(Look::Forbidden("denied".into()))), away(State::Forbidden));
}

#[test]
fn every_state_has_its_name_in_json_and_a_hint_unless_all_is_well() {
    for state in State::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        assert_eq!(state.hint().is_empty(), *state == State::Healthy, "{}", state.name());
    }
}
