//! Law 1 in the configuration: no source meets a pillar or another source.

use super::{layers, load};

const FLEET: &str = "
[host.anchor]
os = 'linux'
[host.meadow]
os = 'macos'
[pillar.flux]
path.linux = '/srv/flux'
[pillar.space.on.anchor]
local = true
path = '/tank/space'
";

#[track_caller]
fn refused(cloud: &str, words: &str) {
    let error = layers(&[FLEET, cloud]).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn a_source_never_meets_a_pillar() {
    let flow = "contain each other; copies would flow back into their source";
    for (host, path) in [
        ("anchor", "/tank/space"),
        ("anchor", "/tank/space/devices/anchor"),
        ("anchor", "/tank"),
        ("anchor", "/srv/flux/work"),
        ("anchor", "/"),
        ("meadow", "~/.mkt/Space/x"),
        ("meadow", "~"),
    ] {
        refused(&format!("[cloud.x]\nhost = '{host}'\npath = '{path}'"), flow);
    }
    load(&format!("{FLEET}[cloud.x]\nhost = 'anchor'\npath = '/tank/space-old'"));
    load(&format!("{FLEET}[cloud.x]\nhost = 'anchor'\npath = '~'"));
    load(&format!("{FLEET}[cloud.x]\nhost = 'meadow'\npath = '/tank'"));
}

#[test]
fn a_source_of_every_host_meets_no_pillar_on_any() {
    for path in ["/tank/space/in", "/space/in", "~/.mkt/space", "s:\\in", "/srv/flux"] {
        refused(&format!("[cloud.x]\npath = '{path}'"), "contain each other");
    }
}

#[test]
fn two_clouds_of_one_device_never_share_a_folder() {
    let pair = |a: &str, b: &str| format!("{FLEET}[cloud.a]\n{a}\n[cloud.b]\n{b}\n");
    let twice = "contain each other; one file would be ingested twice";
    for (a, b) in [
        ("path = '~/x'", "path = '~/x'"),
        ("path = '~/x/y'", "path = '~/x'"),
        ("path = '~/x'\nuser = 'sam'", "path = '~/x/y'"),
        ("path = '~/X'\nhost = 'meadow'", "path = '~/x'"),
    ] {
        let error = layers(&[&pair(a, b)]).unwrap_err().to_string();
        assert!(error.contains(twice), "{error}");
    }
    for (a, b) in [
        ("path = '~/x'", "path = '~/x'\nenabled = false"),
        ("path = '~/x'\nuser = 'sam'", "path = '~/x'\nuser = 'kim'"),
        ("path = '~/x'\nhost = 'anchor'", "path = '~/x'\nhost = 'meadow'"),
        ("path = '~/X'\nhost = 'anchor'", "path = '~/x'\nhost = 'anchor'"),
    ] {
        load(&pair(a, b));
    }
}

#[test]
fn one_id_is_one_cloud_of_a_device() {
    let two =
        |a: &str, b: &str| format!("[cloud.a]\nid = 'icloud'\n{a}\n[cloud.b]\nid = 'icloud'\n{b}");
    assert_eq!(
        layers(&[&two("", "user = 'sam'")]).unwrap_err().to_string(),
        "0.toml:5: cloud.b.id: [cloud.a] and [cloud.b] may both be the cloud icloud of one device; give them different ids, hosts or users"
    );
    load(&two("user = 'kim'", "user = 'sam'"));
}
