//! Where things lie below the space root (phc-spool(5), phc-manifest(5)); every path is spelled here once.

use jiff::Timestamp;
use model::cloud::CloudId;
use model::device::Device;
use model::relpath::RelPath;
use uuid::Uuid;

/// Permission bits of the folders that the toolkit makes for itself in the space.
pub const FOLDER_MODE: u32 = 0o750;
/// Permission bits of the files that the toolkit writes for itself in the space.
pub const FILE_MODE: u32 = 0o640;

/// `_device.json` in a device's folder.
pub const DEVICE_CARD: &[u8] = b"_device.json";
/// `_status.json` in a device's folder.
pub const STATUS: &[u8] = b"_status.json";

fn path(names: &[&str]) -> RelPath {
    names.iter().fold(RelPath::root(), |path, name| path.join(name.as_bytes()))
}

/// `devices`.
pub fn devices() -> RelPath {
    path(&["devices"])
}

/// `devices/<host>`, which the host's users share.
pub fn host(of: &Device) -> RelPath {
    path(&["devices", of.host()])
}

/// `devices/<host>/<user>`.
pub fn device(device: &Device) -> RelPath {
    path(&["devices", device.host(), device.user()])
}

/// `devices/<host>/<user>/<cloud>`: the ingested files.
pub fn cloud(of: &Device, cloud: &CloudId) -> RelPath {
    device(of).join(cloud.as_str().as_bytes())
}

/// `devices/<host>/<user>/_catalog`.
pub fn catalogs(of: &Device) -> RelPath {
    device(of).join(b"_catalog")
}

/// `devices/<host>/<user>/_catalog/<cloud>`.
pub fn catalog(of: &Device, cloud: &CloudId) -> RelPath {
    catalogs(of).join(cloud.as_str().as_bytes())
}

/// `devices/<host>/<user>/_trash`.
pub fn trash(of: &Device) -> RelPath {
    device(of).join(b"_trash")
}

/// `devices/<host>/<user>/_trash/<date>/<runid>/<cloud>`: former versions that one run put away.
pub fn trash_of_run(of: &Device, started: Timestamp, run: Uuid, cloud: &CloudId) -> RelPath {
    let run = run.to_string();
    trash(of).join(date(started).as_bytes()).join(run.as_bytes()).join(cloud.as_str().as_bytes())
}

/// `devices/<host>/<user>/_spool`.
pub fn spool(of: &Device) -> RelPath {
    device(of).join(b"_spool")
}

/// `devices/_bell`: touched at each publish, watched by path units.
pub fn bell() -> RelPath {
    path(&["devices", "_bell"])
}

/// `devices/_consumers`.
pub fn consumers() -> RelPath {
    path(&["devices", "_consumers"])
}

/// A UTC date as `yyyymmdd`.
pub fn date(time: Timestamp) -> String {
    time.strftime("%Y%m%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Device, date, trash_of_run};

    #[test]
    fn dates_are_utc_and_paths_as_documented() {
        let time = "2026-01-02T23:59:59-05:00".parse().unwrap();
        assert_eq!(date(time), "20260103");
        let device = Device::new("h", "u").unwrap();
        let path = trash_of_run(&device, time, uuid::Uuid::nil(), &"icloud".parse().unwrap());
        assert_eq!(
            path.to_string(),
            "devices/h/u/_trash/20260103/00000000-0000-0000-0000-000000000000/icloud"
        );
    }
}
