//! The shipped packs and program descriptions, as they are in `policies/`. A test holds this list and the folder to
//! each other.

/// Packs: name shown in places, text.
pub const PACKS: &[(&str, &str)] = &[
    ("policies/cloud.toml", include_str!("../../../policies/cloud.toml")),
    ("policies/commits.toml", include_str!("../../../policies/commits.toml")),
    ("policies/containers.toml", include_str!("../../../policies/containers.toml")),
    ("policies/content.toml", include_str!("../../../policies/content.toml")),
    ("policies/files.toml", include_str!("../../../policies/files.toml")),
    ("policies/git.toml", include_str!("../../../policies/git.toml")),
    ("policies/hooks-skipped.toml", include_str!("../../../policies/hooks-skipped.toml")),
    ("policies/hosting.toml", include_str!("../../../policies/hosting.toml")),
    ("policies/home-paths.toml", include_str!("../../../policies/home-paths.toml")),
    ("policies/platforms.toml", include_str!("../../../policies/platforms.toml")),
    ("policies/secrets.toml", include_str!("../../../policies/secrets.toml")),
    ("policies/publish.toml", include_str!("../../../policies/publish.toml")),
    ("policies/self.toml", include_str!("../../../policies/self.toml")),
    ("policies/system.toml", include_str!("../../../policies/system.toml")),
    ("policies/twilio.toml", include_str!("../../../policies/twilio.toml")),
    ("policies/unreadable.toml", include_str!("../../../policies/unreadable.toml")),
];

/// Descriptions of programs.
pub const PROGRAMS: &[(&str, &str)] = &[
    ("policies/programs/cloud.toml", include_str!("../../../policies/programs/cloud.toml")),
    ("policies/programs/containers.toml", include_str!("../../../policies/programs/containers.toml")),
    ("policies/programs/files.toml", include_str!("../../../policies/programs/files.toml")),
    ("policies/programs/git.toml", include_str!("../../../policies/programs/git.toml")),
    ("policies/programs/interpreters.toml", include_str!("../../../policies/programs/interpreters.toml")),
    ("policies/programs/network.toml", include_str!("../../../policies/programs/network.toml")),
    ("policies/programs/output.toml", include_str!("../../../policies/programs/output.toml")),
    ("policies/programs/packages.toml", include_str!("../../../policies/programs/packages.toml")),
    ("policies/programs/platforms.toml", include_str!("../../../policies/programs/platforms.toml")),
    ("policies/programs/system.toml", include_str!("../../../policies/programs/system.toml")),
    ("policies/programs/portcullis.toml", include_str!("../../../policies/programs/portcullis.toml")),
    ("policies/programs/windows.toml", include_str!("../../../policies/programs/windows.toml")),
    ("policies/programs/wrappers.toml", include_str!("../../../policies/programs/wrappers.toml")),
];

/// The file that holds a compiled pack or description: `policies/compiled/git.policy` for `policies/git.toml`.
pub fn compiled(path: &str) -> String {
    path.replacen("policies/", "policies/compiled/", 1).replace(".toml", ".policy")
}
