//! Each mistake with the line of words that answers it.

use super::layers;

#[track_caller]
fn refused(text: &str, words: &str) {
    assert_eq!(layers(&[text]).unwrap_err().to_string(), words);
}

#[test]
fn a_misspelt_key_is_named_with_the_nearest_known_one() {
    refused(
        "[cloud.icloud]\nexlude = []\n",
        "0.toml:2: unknown key \"exlude\" in [cloud.icloud]; did you mean \"exclude\"?",
    );
    refused("\n[clouds.x]\n", "0.toml:2: unknown key \"clouds\"; did you mean \"cloud\"?");
    refused(
        "[trash.guard]\nzzz = 1",
        "0.toml:2: unknown key \"zzz\" in [trash.guard]; known here: files, share",
    );
    refused(
        "[pillar.spaces]\n",
        "0.toml:1: unknown key \"spaces\" in [pillar]; did you mean \"space\"?",
    );
    refused(
        "[pillar.space.on.x]\npaht = '/x'",
        "0.toml:2: unknown key \"paht\" in [pillar.space.on.x]; did you mean \"path\"?",
    );
}
