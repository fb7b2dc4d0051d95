//! The shipped packs and program descriptions, as they are in `policies/`. A test holds this list and the folder to
//! each other.

/// Packs: name shown in places, text.
pub const PACKS: &[(&str, &str)] = &[
    ("policies/cloud.toml", include_str!("../../../policies/cloud.toml")),
    ("policies/commits.toml", include_str!("../../../policies/commits.toml")),
    ("policies/containers.toml", include_str!("../../../policies/containers.toml")),
    ("policies/content.toml", include_str!("../../../policies/content.toml")),
    ("policies/data-strict.toml", include_str!("../../../policies/data-strict.toml")),
    ("policies/data.toml", include_str!("../../../policies/data.toml")),
    ("policies/delivery-plan.toml", include_str!("../../../policies/delivery-plan.toml")),
    ("policies/factory.toml", include_str!("../../../policies/factory.toml")),
    ("policies/files.toml", include_str!("../../../policies/files.toml")),
    ("policies/git.toml", include_str!("../../../policies/git.toml")),
    ("policies/home-paths.toml", include_str!("../../../policies/home-paths.toml")),
    ("policies/hooks-skipped.toml", include_str!("../../../policies/hooks-skipped.toml")),
    ("policies/hosting.toml", include_str!("../../../policies/hosting.toml")),
    ("policies/injection.toml", include_str!("../../../policies/injection.toml")),
    ("policies/platforms.toml", include_str!("../../../policies/platforms.toml")),
    ("policies/publish.toml", include_str!("../../../policies/publish.toml")),
    ("policies/sandbox.toml", include_str!("../../../policies/sandbox.toml")),
    ("policies/secrets.toml", include_str!("../../../policies/secrets.toml")),
    ("policies/self.toml", include_str!("../../../policies/self.toml")),
    ("policies/servers.toml", include_str!("../../../policies/servers.toml")),
    ("policies/settings.toml", include_str!("../../../policies/settings.toml")),
    ("policies/staged-agents.toml", include_str!("../../../policies/staged-agents.toml")),
    ("policies/system.toml", include_str!("../../../policies/system.toml")),
    ("policies/twilio-apis.toml", include_str!("../../../policies/twilio-apis.toml")),
    ("policies/twilio.toml", include_str!("../../../policies/twilio.toml")),
    ("policies/unicode.toml", include_str!("../../../policies/unicode.toml")),
    ("policies/unreadable.toml", include_str!("../../../policies/unreadable.toml")),
    ("policies/voice-agent.toml", include_str!("../../../policies/voice-agent.toml")),
    ("policies/weaken.toml", include_str!("../../../policies/weaken.toml")),
];

/// Descriptions of programs.
pub const PROGRAMS: &[(&str, &str)] = &[
    ("policies/programs/cloud.toml", include_str!("../../../policies/programs/cloud.toml")),
    ("policies/programs/containers.toml", include_str!("../../../policies/programs/containers.toml")),
    ("policies/programs/databases.toml", include_str!("../../../policies/programs/databases.toml")),
    ("policies/programs/files.toml", include_str!("../../../policies/programs/files.toml")),
    ("policies/programs/git.toml", include_str!("../../../policies/programs/git.toml")),
    ("policies/programs/interpreters.toml", include_str!("../../../policies/programs/interpreters.toml")),
    ("policies/programs/network.toml", include_str!("../../../policies/programs/network.toml")),
    ("policies/programs/output.toml", include_str!("../../../policies/programs/output.toml")),
    ("policies/programs/packages.toml", include_str!("../../../policies/programs/packages.toml")),
    ("policies/programs/platforms.toml", include_str!("../../../policies/programs/platforms.toml")),
    ("policies/programs/portcullis.toml", include_str!("../../../policies/programs/portcullis.toml")),
    ("policies/programs/servers-business.toml", include_str!("../../../policies/programs/servers-business.toml")),
    ("policies/programs/servers-cloud.toml", include_str!("../../../policies/programs/servers-cloud.toml")),
    ("policies/programs/servers-code.toml", include_str!("../../../policies/programs/servers-code.toml")),
    ("policies/programs/servers-data.toml", include_str!("../../../policies/programs/servers-data.toml")),
    ("policies/programs/system.toml", include_str!("../../../policies/programs/system.toml")),
    ("policies/programs/twilio.toml", include_str!("../../../policies/programs/twilio.toml")),
    ("policies/programs/windows.toml", include_str!("../../../policies/programs/windows.toml")),
    ("policies/programs/wrappers.toml", include_str!("../../../policies/programs/wrappers.toml")),
];

/// The file that holds a compiled pack or description: `policies/compiled/git.policy` for `policies/git.toml`.
pub fn compiled(path: &str) -> String {
    path.replacen("policies/", "policies/compiled/", 1).replace(".toml", ".policy")
}

/// What a file says at its top, before its rules.
pub fn head(text: &str) -> &str {
    text.split_once("\n[[").map_or(text, |(head, _)| head)
}

/// Whether the file holds where no policy says anything of it: descriptions of programs do, and packs that are on by default.
pub fn is_on(path: &str, text: &str) -> bool {
    path.starts_with("policies/programs/") || head(text).lines().any(|line| line.split('=').map(str::trim).eq(["default", "true"]))
}
