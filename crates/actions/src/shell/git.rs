//! Git's own ways: configuration given on the line, aliases, refspecs, the folder of `-C`. What its subcommands take as
//! options is with the other programs, as data.

use super::{Output, Shell, Stdin};
use crate::arguments::{self, ParsedArguments};
use crate::lookup::{Lookup, LookupAnswer};
use crate::program::{Program, Role};
use crate::word::{Bound, Word, WordPiece, is_one};
use crate::{Action, Change, Deed, Flag, Push, PushKind, Write, path::Path};

/// Aliases that lead to aliases.
const MAX_ALIASES: usize = 8;

/// Follows a git command; `words` begins with `git`, of which `program` is the description.
pub(super) fn invoke(shell: &mut Shell, program: &Program, words: &[Word], env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
    let args = words.get(1..).unwrap_or(&[]);
    let mut arguments = arguments::read(program, args);
    let inherited: Vec<(String, Word)> = shell.state.environment().iter().chain(&env).cloned().collect();
    let given = configuration(&arguments.front, &inherited);
    let set_here = shell.state.configured.clone();
    for (key, value) in &given {
        configured(shell, key, value, &env, stdin);
    }
    let given: Vec<(String, Word)> = given.into_iter().filter_map(|(key, value)| Some((key.literal()?.to_owned(), value))).collect();
    let Some(subcommand) = arguments.subcommand.first().cloned() else {
        shell.note("git", words, &arguments, env, stdin);
        return Output::default();
    };
    let Some(name) = subcommand.literal().map(str::to_owned) else {
        shell.computed_subcommand(words, &arguments, env, stdin);
        return Output::default();
    };
    let before = shell.enter(&arguments);
    let repository = repository(shell, &arguments, &inherited);
    if !program.has_subcommand(&name) {
        let key = format!("alias.{}", name.to_ascii_lowercase());
        let last = |entries: &[(String, Word)]| entries.iter().rev().find(|(known, _)| *known == key).map(|(_, value)| value.clone());
        let given_here = last(&given).or_else(|| last(&set_here));
        let stored = if given_here.is_none() { last(&shell.stored_configuration(&repository)) } else { None };
        // The words of a configured alias are few and mean what they say; a shell line of one is a script.
        let is_script = stored.as_ref().is_some_and(|alias| alias.prefix().starts_with('!'));
        if let Some(alias) = given_here.or(stored) {
            shell.state.place.cwd = before;
            let run = |shell: &mut Shell| aliased(shell, &alias, args, &arguments, env, stdin);
            return if is_script { shell.while_stored(run) } else { run(shell) };
        }
    }
    if name == "config" {
        normalise_config(&mut arguments);
    }
    // Elsewhere an unknown word is the name of a commit or file; so are the two words of `push REMOTE REF`, for no sign of
    // force means not forced, and the git hook sees what is pushed.
    let hides = match name.as_str() {
        "commit" | "clean" => true,
        "push" => arguments.operands.len() != 2,
        _ => false,
    };
    arguments.may_hide = arguments.may_hide.take().filter(|word| hides || word.prefix().starts_with('-'));
    if !hides && let [only] = arguments.operands.as_mut_slice() {
        // `git checkout $(git diff --name-only)`
        only.multi &= only.pieces == [WordPiece::Any(Bound::File)];
    }
    if name == "checkout" && arguments.behind_dashes.is_none() {
        file_by_name(shell, &mut arguments);
    }
    if only_explains(program, &name, &arguments) {
        // `git reset --hard -h` is `git help reset`.
        let topic = ParsedArguments { subcommand: vec![Word::lit("help")], operands: vec![subcommand], ..ParsedArguments::default() };
        shell.note("git", words, &topic, env, stdin);
        shell.state.place.cwd = before;
        return Output::unknown();
    }
    tracked_only(shell, &mut arguments);
    let limits = limits(&name, &arguments).iter().map(|word| shell.path(word)).collect();
    let at = shell.note("git", words, &arguments, env.clone(), stdin);
    if let Some(Action { deed: Deed::Run(run), .. }) = shell.actions.get_mut(at) {
        run.folder.clone_from(&repository);
        run.keyed = name == "config";
        run.limits = limits;
    }
    match name.as_str() {
        "subtree" if arguments.subcommand.get(1).is_none_or(|name| !name.is("push")) => {}
        "push" | "send-pack" | "http-push" | "subtree" => {
            let configuration = [shell.stored_pushes(&repository, &arguments), given].concat();
            for push in pushes(&arguments, &configuration, shell.state.place.branch.clone()) {
                shell.push(Deed::Push(push), Some(at));
            }
        }
        "config" => {
            if let Some((key, value)) = config_set(&arguments) {
                // An alias that is defined will be used: it is followed now.
                if key.starts_with("alias.") {
                    shell.line_within("git alias", &alias_line(&value), &Stdin::default());
                }
                started_by_configuration(shell, &key, &value, stdin);
                shell.state.configured.push((key.clone(), value.clone()));
                push_configured(shell, &key, &value, at);
            }
        }
        "checkout" | "switch" | "restore" => checked_out(shell, &name, &arguments, at),
        "show" | "cat-file" => {
            // `COMMIT:PATH`, from the top of the work tree unless it begins with a dot (gitrevisions(7)).
            for path in arguments.operands.iter().filter_map(Word::literal).filter_map(|operand| operand.split_once(':')).map(|(_, path)| path) {
                let from = if path.starts_with("./") || shell.setting.root.is_empty() { path.to_owned() } else { format!("{}/{path}", shell.setting.root) };
                let read = shell.reads(Path { shown: path.to_owned(), ..shell.path(&Word::lit(from)) }, Some(at));
                shell.flow(&[read]);
            }
        }
        _ if arguments.has("--no-index") => {
            for word in &arguments.operands {
                let read = shell.reads(shell.path(word), Some(at));
                shell.flow(&[read]);
            }
        }
        _ => {}
    }
    if is_one("commit push merge rebase am cherry-pick revert", &name)
        && let Some((_, path)) = inherited.iter().rev().find(|(name, _)| name == "PATH")
        && replaces_programs(path, &[&shell.setting.root, shell.setting.home.as_deref().unwrap_or("")])
    {
        configured(shell, &Word::lit("path"), &path.clone(), &env, stdin);
    }
    for (branch, flags) in moved_branches(shell, &name, &arguments) {
        // Rules on branches that are moved by force see one form of it.
        let moved = ParsedArguments { subcommand: vec![Word::lit("branch"), Word::lit("force")], operands: vec![branch], flags, ..ParsedArguments::default() };
        let at = shell.note("git", words, &moved, env.clone(), stdin);
        if let Some(Action { deed: Deed::Run(run), .. }) = shell.actions.get_mut(at) {
            run.folder.clone_from(&repository);
        }
    }
    // `ext::COMMAND` as an address (git-remote-ext(1)).
    for line in arguments.operands.iter().filter(|word| word.prefix().starts_with("ext::")) {
        shell.line_within("git", &line.without_prefix(5), stdin);
    }
    shell.effects(program, words, &arguments, &env, stdin, at);
    let output = shell.output(program, &name, args, &arguments, stdin);
    shell.state.place.cwd = before;
    output
}

/// A folder of the repository that is worked on: the git folder that is named, or the present one, `-C` followed.
fn repository(shell: &Shell, arguments: &ParsedArguments, env: &[(String, Word)]) -> Word {
    let flag = arguments.front.iter().rev().find(|flag| flag.is("--git-dir")).and_then(|flag| flag.value.as_ref());
    let variable = || env.iter().rev().find(|(name, _)| name == "GIT_DIR").map(|(_, value)| value);
    flag.or_else(variable).map_or_else(|| shell.state.place.cwd.clone(), |folder| shell.path(folder).word)
}

/// `git checkout NAME`, where the name is that of a file and of no commit, takes the file from the index
/// (git-checkout(1), "ARGUMENT DISAMBIGUATION").
fn file_by_name(shell: &mut Shell, arguments: &mut ParsedArguments) {
    let creates = ["-b", "-B", "--orphan", "--detach", "--track"].iter().any(|flag| arguments.has(flag));
    let Some(name) = arguments.operands.first().and_then(Word::literal).filter(|_| !creates) else { return };
    // What begins or ends so is the name of no commit (git-check-ref-format(1), gitglossary(7), "pathspec").
    let is_pathspec =
        name == "." || name.starts_with("./") || name.starts_with("../") || name.starts_with(":/") || name.starts_with(":(") || name.ends_with('/');
    if is_pathspec || shell.is_file(name) {
        arguments.behind_dashes = Some(0);
        arguments.flags.push(Flag { names: vec!["--".to_owned()], value: None });
    }
}

/// Whether the command only shows its usage: it reads all its options first (git's `parse-options.c`). The script behind
/// `filter-branch` reads its own.
fn only_explains(program: &Program, name: &str, arguments: &ParsedArguments) -> bool {
    if name == "filter-branch" || !arguments.flags.iter().any(|flag| flag.is("-h") || flag.is("--help")) {
        return false;
    }
    let innermost = arguments::innermost(program, arguments);
    let own = innermost.options.iter().any(|opt| opt.names.contains(&"-h"));
    program.has_subcommand(name) && (arguments.has("--help") || !own)
}

/// Whether hooks would find other programs under this path, or none: it leaves out the folders from before, or begins with
/// one that anybody can write to.
fn replaces_programs(path: &Word, own: &[&str]) -> bool {
    const OPEN: &[&str] = &[":", ".:", "/tmp/", "/var/tmp/", "/dev/"];
    let front = path.prefix();
    let own = own.iter().any(|folder| !folder.is_empty() && front.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
    path.literal().is_some() || (!own && OPEN.iter().any(|open| front.starts_with(open)))
}

/// `git rm -r .` deletes files that git tracks, and neither the folder nor what is in `.git`.
fn tracked_only(shell: &Shell, arguments: &mut ParsedArguments) {
    for (_, word) in arguments.roles.iter_mut().filter(|(role, _)| *role == Role::DeleteTree) {
        if shell.path(word).word.literal().is_some_and(|path| path == shell.setting.root) {
            word.push_lit("/");
            word.push(WordPiece::Any(Bound::File));
        }
    }
}

/// Branches of this repository that the command moves, wherever they led before, each with the option that says so.
fn moved_branches(shell: &Shell, name: &str, arguments: &ParsedArguments) -> Vec<(Word, Vec<Flag>)> {
    let operands = &arguments.operands;
    let has = |name: &str| arguments.has(name);
    let plain = |branch: Option<&Word>| branch.map(|branch| (branch_name(branch.clone()), Vec::new())).into_iter().collect();
    match name {
        // `fetch REMOTE +SOURCE:BRANCH`
        "fetch" | "pull" if !has("--dry-run") && !has("--multiple") => {
            let refspecs = operands.get(1..).unwrap_or(&[]);
            refspecs.iter().filter_map(|refspec| forced_branch(refspec, has("--force"))).map(|branch| (branch, Vec::new())).collect()
        }
        "checkout" => plain(arguments.value("-B")),
        "switch" => plain(arguments.value("--force-create")),
        "worktree" if arguments.subcommand.get(1).is_some_and(|name| name.is("add")) => plain(arguments.value("-B")),
        "update-ref" if !has("-d") => plain(operands.first().filter(|name| name.prefix().starts_with("refs/heads/"))),
        "symbolic-ref" if operands.len() > 1 || has("--delete") => plain(operands.first().filter(|name| name.prefix().starts_with("refs/heads/"))),
        "branch" if !has("--delete") && !has("-D") && !has("--list") => {
            let force = has("--force");
            match (has("-M") || (force && has("--move")), has("-C") || (force && has("--copy"))) {
                (true, _) if operands.len() == 1 => {
                    // In a repository that this line makes there is nothing that the new name could take the place of.
                    let made = shell.actions.iter().any(
                        |action| matches!(&action.deed, Deed::Run(run) if run.program == "git" && run.subcommand.as_ref().is_some_and(|name| name.literal().is_some_and(|name| is_one("init clone", name)))),
                    );
                    let renames = Flag { names: vec!["-M".to_owned()], value: None };
                    operands.first().filter(|_| !made).map(|name| (name.clone(), vec![renames])).into_iter().collect()
                }
                (true, _) | (_, true) => plain(operands.last()),
                _ if force => plain(operands.first()),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// The branch that `[+]SOURCE:TARGET` moves by force when it is fetched.
fn forced_branch(refspec: &Word, force: bool) -> Option<Word> {
    if !force && !refspec.prefix().starts_with('+') {
        return None;
    }
    let [_, target] = <[Word; 2]>::try_from(refspec.split(':')).ok()?;
    let branch = branch_name(target);
    if branch.pieces.is_empty() || branch.prefix().starts_with("refs/") {
        return None;
    }
    // `*` stands for every branch.
    let mut wide = Word { span: branch.span, ..Word::default() };
    for (at, part) in branch.split('*').iter().enumerate() {
        if at > 0 {
            wide.push(WordPiece::Glob("*".to_owned()));
        }
        wide.extend(part);
    }
    Some(wide)
}

/// `-c key=value`, `--config-env` and the `GIT_CONFIG_*` variables: keys in the form git compares them in, as far as they are
/// known, and values.
fn configuration(front: &[Flag], env: &[(String, Word)]) -> Vec<(Word, Word)> {
    let mut all = Vec::new();
    for flag in front {
        let Some(value) = &flag.value else { continue };
        if flag.is("--exec-path") {
            all.push((Word::lit("exec-path"), value.clone()));
        } else if flag.is("-c") {
            all.push(setting(value));
        } else if flag.is("--config-env") {
            all.push((setting(value).0, Word::unknown()));
        }
    }
    for (name, key) in env {
        if let Some(number) = name.strip_prefix("GIT_CONFIG_KEY_") {
            let value = env.iter().find(|(name, _)| name.strip_prefix("GIT_CONFIG_VALUE_") == Some(number)).map(|(_, value)| value.clone());
            all.push((key_word(key), value.unwrap_or_else(Word::unknown)));
        }
        if name == "GIT_CONFIG_PARAMETERS" {
            // `'key'='value' 'key=value'`, as git quotes it for its children.
            all.extend(arguments::split(key).iter().map(setting));
        }
    }
    all
}

/// `key=value`. The first sign that is known ends the key: one in what is not known would end it earlier.
fn setting(word: &Word) -> (Word, Word) {
    let holes = word.has_hole();
    let mut key = Word::default();
    for (at, piece) in word.pieces.iter().enumerate() {
        let Some((front, behind)) = (if let WordPiece::Lit(text) = piece { text.split_once('=') } else { None }) else {
            key.push(piece.clone());
            continue;
        };
        key.push_lit(front);
        let mut value = Word { span: word.span, ..Word::lit(behind) };
        word.pieces.iter().skip(at + 1).for_each(|piece| value.push(piece.clone()));
        // With a hole in front of it, the value may begin earlier.
        let known = !key.has_hole();
        return (key_word(&key), if known { value } else { Word::unknown() });
    }
    (key_word(&key), if holes { Word::unknown() } else { Word::lit("true") })
}

/// A key as git compares it, as far as it is known.
fn key_word(key: &Word) -> Word {
    if let Some(key) = key.literal() {
        return Word::lit(key_form(key));
    }
    let last = key.pieces.len().saturating_sub(1);
    let mut form = Word { span: key.span, ..Word::default() };
    for (at, piece) in key.pieces.iter().enumerate() {
        match piece {
            WordPiece::Lit(text) if at == 0 => {
                let (section, rest) = text.split_at_checked(text.find('.').unwrap_or(text.len())).unwrap_or((text, ""));
                form.push_lit(&section.to_ascii_lowercase());
                form.push_lit(rest);
            }
            WordPiece::Lit(text) if at == last => {
                let (rest, name) = text.split_at_checked(text.rfind('.').unwrap_or(0)).unwrap_or(("", text));
                form.push_lit(rest);
                form.push_lit(&name.to_ascii_lowercase());
            }
            piece => form.push(piece.clone()),
        }
    }
    form
}

/// Section and name without regard to case; what is between stays (git-config, "Syntax").
fn key_form(key: &str) -> String {
    match (key.split_once('.'), key.rsplit_once('.')) {
        (Some((section, _)), Some((front, name))) => {
            let middle = front.get(section.len()..).unwrap_or("");
            format!("{}{middle}.{}", section.to_ascii_lowercase(), name.to_ascii_lowercase())
        }
        _ => key.to_ascii_lowercase(),
    }
}

/// How the keys end whose values git runs (git-config(1)).
const RUN: &str = ".fsmonitor .sshcommand .editor .pager .program .external .helper \
    .textconv .driver .cmd .command .clean .smudge .process .askpass .packobjectshook .difffilter .proxycommand";

/// Configuration that holds for one command is a `config once` of its own, so that rules on keys see it.
fn configured(shell: &mut Shell, key: &Word, value: &Word, env: &[(String, Word)], stdin: &Stdin) {
    let arguments =
        ParsedArguments { subcommand: vec![Word::lit("config"), Word::lit("once")], operands: vec![key.clone(), value.clone()], ..ParsedArguments::default() };
    let mut setting = key.clone();
    setting.push_lit("=");
    setting.extend(value);
    let at = shell.note("git", &[Word::lit("git"), Word::lit("-c"), setting], &arguments, env.to_vec(), stdin);
    keyed(shell, at);
    if let Some(key) = key.literal() {
        started_by_configuration(shell, key, value, stdin);
    }
}

/// The first operand of the command at this place is a key.
fn keyed(shell: &mut Shell, at: usize) {
    if let Some(Action { deed: Deed::Run(run), .. }) = shell.actions.get_mut(at) {
        run.keyed = true;
    }
}

/// Follows a value of the configuration that git runs.
fn started_by_configuration(shell: &mut Shell, key: &str, value: &Word, stdin: &Stdin) {
    let runs = key.starts_with("pager.") || RUN.split(' ').any(|end| key.ends_with(end));
    if runs && !matches!(value.literal(), Some("true" | "false" | "" | "cat" | "less")) {
        let value = value.without_prefix(usize::from(value.prefix().starts_with('!')));
        shell.line_within("git -c", &value, stdin);
    }
}

/// Normalises `git config` to `config set`, `config unset`, `config get`, …, with the key in the form git compares.
fn normalise_config(arguments: &mut ParsedArguments) {
    const NEW: &str = "set unset get list edit rename-section remove-section";
    const OLD: &[(&str, &str)] = &[
        ("unset", "--unset --unset-all"),
        ("remove-section", "--remove-section"),
        ("rename-section", "--rename-section"),
        ("edit", "--edit"),
        ("list", "--list"),
        ("get", "--get --get-all --get-regexp --get-urlmatch --get-color --get-colorbool"),
        ("set", "--add --replace-all"),
    ];
    let named = arguments.subcommand.get(1).and_then(Word::literal).filter(|name| is_one(NEW, name)).map(str::to_owned);
    let written = named.is_some();
    let action = named.unwrap_or_else(|| {
        let given = |(_, flags): &&(&str, &str)| flags.split(' ').any(|flag| arguments.has(flag));
        let operands = arguments.operands.len() + arguments.subcommand.len().saturating_sub(1);
        let plain = if operands >= 2 { "set" } else { "get" };
        OLD.iter().find(given).map_or(plain, |(action, _)| action).to_owned()
    });
    // In the old form the word behind `config` is the key.
    let mut operands: Vec<Word> = if written { Vec::new() } else { arguments.subcommand.drain(1..).collect() };
    operands.append(&mut arguments.operands);
    if let Some(first) = operands.first_mut() {
        *first = key_word(first);
    }
    arguments.operands = operands;
    arguments.subcommand = vec![Word::lit("config"), Word::lit(action)];
}

fn config_set(arguments: &ParsedArguments) -> Option<(String, Word)> {
    if !arguments.subcommand.get(1)?.is("set") {
        return None;
    }
    Some((arguments.operands.first()?.literal()?.to_owned(), arguments.operands.get(1)?.clone()))
}

/// A remote that is set up to be pushed to by force will be.
fn push_configured(shell: &mut Shell, key: &str, value: &Word, at: usize) {
    let remote = key.strip_prefix("remote.").and_then(|key| key.rsplit_once('.'));
    let forced = match remote {
        Some((_, "push")) => value.prefix().starts_with('+'),
        Some((_, "mirror")) => value.is("true"),
        _ => false,
    };
    if let (Some((remote, _)), true) = (remote, forced) {
        shell.push(Deed::Push(Push { remote: Some(Word::lit(remote)), target: None, kinds: vec![PushKind::NonFastForward], sure: true }), Some(at));
    }
}

fn alias_line(value: &Word) -> Word {
    if value.prefix().starts_with('!') {
        return value.without_prefix(1);
    }
    let mut line = Word::lit("git ");
    line.extend(value);
    line
}

/// Runs an alias with the arguments behind it.
fn aliased(shell: &mut Shell, alias: &Word, args: &[Word], arguments: &ParsedArguments, env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
    if shell.via.iter().filter(|step| *step == "git alias").count() >= MAX_ALIASES {
        shell.opaque("a git alias", "it is nested too deep to be read");
        return Output::default();
    }
    let name = arguments.subcommand.first();
    let start = args.iter().position(|word| Some(word) == name).map_or(args.len(), |at| at + 1);
    let rest = args.get(start..).unwrap_or(&[]);
    if alias.prefix().starts_with('!') {
        let mut line = alias.without_prefix(1);
        for word in rest {
            line.push_lit(" ");
            line.extend(word);
        }
        return shell.line_within("git alias", &line, stdin);
    }
    // Git splits the alias at blanks and keeps what was in front of it.
    let front = args.get(..start.saturating_sub(1)).unwrap_or(&[]);
    let mut words = vec![Word::lit("git")];
    words.extend_from_slice(front);
    match alias.literal() {
        Some(text) => words.extend(text.split_whitespace().map(|part| Word::lit(part.trim_matches(['"', '\''])))),
        None => words.push(Word::several()),
    }
    words.extend_from_slice(rest);
    shell.words_within("git alias", words, env, stdin)
}

/// What a push does to refs, from its flags, refspecs and the configuration on the line.
fn pushes(arguments: &ParsedArguments, configuration: &[(String, Word)], branch: Option<Word>) -> Vec<Push> {
    let has = |name: &str| arguments.has(name);
    if has("--dry-run") || has("--help") || has("-h") {
        return Vec::new();
    }
    let remote = arguments.operands.first().or_else(|| arguments.value("--repo")).cloned();
    let configured = |suffix: &str| {
        configuration.iter().filter(|(key, _)| key.starts_with("remote.") && key.ends_with(suffix)).map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let mirrored = configured(".mirror").iter().any(|value| !value.is("false"));
    let mut kinds = Vec::new();
    if has("--force") || has("--mirror") || mirrored {
        kinds.push(PushKind::NonFastForward);
    }
    if has("--mirror") || has("--prune") || has("--delete") || mirrored {
        kinds.push(PushKind::Delete);
    }
    let mut refspecs: Vec<Word> = arguments.operands.get(1..).unwrap_or(&[]).to_vec();
    if refspecs.is_empty() && !has("--tags") {
        refspecs = configured(".push");
    }
    let mut all: Vec<Push> = refspecs.iter().map(|refspec| from_refspec(refspec, &kinds, remote.as_ref())).collect();
    // Tags are pushed beside the refspecs, and without refspecs instead of the current branch (git-push(1)).
    let mut several = |target: Word| all.push(Push { remote: remote.clone(), target: Some(target), kinds: kinds.clone(), sure: true });
    if has("--tags") {
        let mut tags = Word::lit("refs/tags/");
        tags.extend(&Word::unknown());
        several(tags);
    }
    if has("--all") || has("--branches") || has("--mirror") || mirrored {
        several(Word::unknown());
    }
    if all.is_empty() {
        all.push(Push { remote: remote.clone(), target: branch.clone(), kinds, sure: true });
    }
    if arguments.may_hide.is_some() {
        all.push(Push { remote, target: branch, kinds: vec![PushKind::NonFastForward, PushKind::Delete], sure: false });
    }
    all
}

/// `[+]src[:dst]`.
fn from_refspec(refspec: &Word, kinds: &[PushKind], remote: Option<&Word>) -> Push {
    let mut kinds = kinds.to_vec();
    let mut rest = refspec.clone();
    if rest.prefix().starts_with('+') {
        kinds.push(PushKind::NonFastForward);
        rest = rest.without_prefix(1);
    }
    let target = match rest.split(':').as_slice() {
        // `:` alone is the matching branches.
        [source, target] if source.pieces.is_empty() && target.pieces.is_empty() => None,
        [source, target, ..] => {
            kinds.extend(source.pieces.is_empty().then_some(PushKind::Delete));
            Some(target.clone())
        }
        _ => Some(rest),
    };
    let target = target.map(branch_name).filter(|target| !target.is("HEAD") && !target.is("@"));
    Push { remote: remote.cloned(), target, kinds, sure: true }
}

fn branch_name(word: Word) -> Word {
    for front in ["refs/heads/", "heads/"] {
        if word.prefix().starts_with(front) {
            return word.without_prefix(front.len());
        }
    }
    word
}

/// The files and folders to which a call is limited. Empty: it is about the whole work tree, or about none of it.
fn limits<'a>(name: &str, arguments: &'a ParsedArguments) -> &'a [Word] {
    let operands = &arguments.operands;
    let first = match (name, arguments.behind_dashes) {
        _ if arguments.has("--pathspec-from-file") => return &[],
        (name, _) if is_one("restore rm clean checkout-index", name) => 0,
        ("checkout", Some(first)) => first,
        // `git checkout COMMIT FILE`
        ("checkout", None) if !["-b", "-B", "--orphan", "--track"].iter().any(|name| arguments.has(name)) => {
            usize::from(operands.len() > 1 || operands.iter().all(|word| !word.multi))
        }
        _ => return &[],
    };
    operands.get(first..).unwrap_or(&[])
}

/// Branches switched to, and files taken from a commit or the index.
fn checked_out(shell: &mut Shell, name: &str, arguments: &ParsedArguments, at: usize) {
    if !arguments.has("--staged") || arguments.has("--worktree") {
        for word in limits(name, arguments) {
            let path = shell.path(word);
            shell.push(Deed::Write(Write { path, change: Change::Unknown }), Some(at));
        }
    }
    if name != "restore" && arguments.behind_dashes.is_none() {
        let created = ["-b", "-B", "-c", "-C", "--orphan"].iter().find_map(|name| arguments.value(name));
        if let Some(branch) = created.or_else(|| arguments.operands.first()) {
            shell.state.place.branch = Some(branch.clone());
        }
    }
}

impl Shell<'_> {
    /// What git's configuration files say in this folder.
    fn stored_configuration(&mut self, folder: &Word) -> Vec<(String, Word)> {
        let Some(folder) = folder.literal().map(str::to_owned) else { return Vec::new() };
        match self.look_up(Lookup::Configuration(folder)) {
            LookupAnswer::Entries(entries) => entries.into_iter().map(|(key, value)| (key, Word::lit(value))).collect(),
            _ => Vec::new(),
        }
    }

    /// What they say of the remote to which a push goes.
    fn stored_pushes(&mut self, folder: &Word, arguments: &ParsedArguments) -> Vec<(String, Word)> {
        if arguments.operands.len() > 1 || arguments.has("--force") || arguments.has("--mirror") {
            // With refspecs on the line only a mirror matters, which git refuses beside them; more than forced it cannot be.
            return Vec::new();
        }
        let entries = self.stored_configuration(folder);
        let value = |wanted: &str| entries.iter().rev().find(|(key, _)| key == wanted).and_then(|(_, value)| value.literal());
        let remote = match arguments.operands.first() {
            Some(word) => word.literal(),
            // git-push(1): the branch's own remote, else `origin`. One that only some branches have is not guessed.
            None => value("remote.pushdefault").or(Some("origin")),
        };
        let Some(remote) = remote.map(|remote| format!("remote.{remote}.")) else { return Vec::new() };
        entries.iter().filter(|(key, _)| key.starts_with(&remote)).cloned().collect()
    }

    /// Whether a file of this name is in the present folder, and no commit.
    fn is_file(&mut self, name: &str) -> bool {
        let Some(folder) = self.state.place.cwd.literal().map(str::to_owned) else { return false };
        self.look_up(Lookup::IsFile(folder, name.to_owned())) == LookupAnswer::Yes
    }

    /// Goes to the folder of a `-C` option; gives the one before.
    fn enter(&mut self, arguments: &ParsedArguments) -> Word {
        let before = self.state.place.cwd.clone();
        for folder in arguments.front.iter().filter(|flag| flag.is("-C") || flag.is("--work-tree")).filter_map(|flag| flag.value.as_ref()) {
            self.state.place.cwd = Path::resolve(&self.state.place.cwd, folder).word;
        }
        before
    }

    /// `git $X`: any subcommand.
    fn computed_subcommand(&mut self, words: &[Word], arguments: &ParsedArguments, env: Vec<(String, Word)>, stdin: &Stdin) {
        let text: Vec<String> = words.iter().map(ToString::to_string).collect();
        self.note("git", words, arguments, env, stdin);
        self.opaque(text.join(" "), "the subcommand is computed");
    }
}
