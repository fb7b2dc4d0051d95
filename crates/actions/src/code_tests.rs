//! Program texts and what is found in them.

use super::Language::{Awk, JavaScript, Julia, Jvm, Lua, Perl, Php, Python, Ruby, Unknown};
use super::*;

fn show(found: &[CodeAction]) -> String {
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "?".into());
    found
        .iter()
        // What is read has its own test.
        .filter(|found| !matches!(found, CodeAction::Read { .. }))
        .map(|found| match found {
            CodeAction::Read { path } => format!("read<{path}>"),
            CodeAction::Shell(text) => format!("sh<{}>", text.replace(HOLE, "?")),
            CodeAction::Argv(words) => format!("run<{}>", words.iter().map(word).collect::<Vec<_>>().join("|")),
            CodeAction::Write { path, append, text } => {
                format!("{}<{}>{}", if *append { "append" } else { "write" }, word(path), text.as_ref().map_or(String::new(), |text| format!("<{text}>")))
            }
            CodeAction::Delete { path, recursive } => {
                format!("{}<{}>", if *recursive { "rmtree" } else { "rm" }, word(path))
            }
            CodeAction::Copy { from, to, moved } => format!("{}<{}|{}>", if *moved { "mv" } else { "cp" }, word(from), word(to)),
            CodeAction::Attributes { path, recursive } => format!("{}<{}>", if *recursive { "modes" } else { "mode" }, word(path)),
            CodeAction::Fed(command, text) => format!("{}<<{}", show(std::slice::from_ref(command)), word(text)),
            CodeAction::Request { url, method } => format!("{method}<{}>", url.replace(HOLE, "?")),
            CodeAction::Query { connection, text } => {
                let said = [&connection.address, &connection.host, &connection.database].into_iter().flatten().cloned().collect::<Vec<_>>();
                format!("{}<{}|{}>", connection.client, said.join("|"), text).replace(HOLE, "?")
            }
            CodeAction::OpaqueShell => "opaque".into(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn check(language: Language, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, show(&scan(text, language))))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(text, expected, found)| format!("{text}\n  expected {expected}\n     found {found}\n"))
        .collect();
    assert!(wrong.is_empty(), "{language:?}:\n{}", wrong.join(""));
}

#[test]
fn python_runs() {
    check(
        Python,
        &[
            ("import os\nos.system('git push -f')", "sh<git push -f>"),
            ("import os; os.system(\"\"\"git push\n -f\"\"\")", "sh<git push\n -f>"),
            ("import subprocess as sp\nsp.run(['git','push','-f'])", "run<git|push|-f>"),
            ("import subprocess\nsubprocess.run([\n  'git',\n  'push', # force\n  flag,\n], check=True)", "run<git|push|?>"),
            ("subprocess.run('git push -f', shell=True)", "sh<git push -f>"),
            ("subprocess.run('git push -f'.split())", "run<git|push|-f>"),
            ("subprocess.check_output(shlex.split('git push -f'))", "sh<git push -f>"),
            ("from os import system as s\ns('ls')", "sh<ls>"),
            ("from subprocess import run, PIPE\nrun(['ls'], stdout=PIPE)", "run<ls>"),
            ("from os import *\nsystem('ls')", "sh<ls>"),
            ("__import__('os').system('ls')", "sh<ls>"),
            ("getattr(os,'sys'+'tem')('ls')", "sh<ls>"),
            ("import importlib\nimportlib.import_module('os').system('ls')", "sh<ls>"),
            ("os.system('git ' 'push ' + '-f')", "sh<git push -f>"),
            ("cmd = 'git push'\ncmd += ' -f'\nos.system(cmd)", "sh<git push> sh<git push -f>"),
            ("os.system(f'git push --force {remote}')", "sh<git push --force ?>"),
            ("b='-f'\nos.system(f'git push {b}')", "sh<git push -f>"),
            ("os.system(f\"rm -rf '{p}' \\\"{q}\\\" \\\\{r}\")", "sh<rm -rf ''\"?\"'' \"?\" \\?>"),
            ("os.system('git push %s' % b)", "sh<git push ?>"),
            ("os.system('git push {}'.format('-f'))", "sh<git push -f>"),
            ("os.system(' '.join(['git','push']))", "sh<git push>"),
            ("os.system('\\x67it push')", "sh<git push>"),
            ("os.execvp('git', ['git','push'])", "run<git|push>"),
            ("subprocess.run(['bash'], input=b'git push -f')", "run<bash> run<bash><<git push -f"),
            ("exec(\"import os; os.system('ls')\")", "sh<ls>"),
            ("import base64\nexec(base64.b64decode('aGk='))", "opaque"),
            ("print(f\"{os.system('ls')}\")", "sh<ls>"),
            ("args = ['git','push']\nif f: args.append('-f')\nsubprocess.run(args)", "run<git|push|?>"),
            ("pool.map(os.system, cmds)", "opaque"),
            ("import sh\nsh.git('push','-f')", "run<git|push|-f>"),
            ("os.system('ls' if x else 'git push -f')", "sh<ls> sh<git push -f>"),
            ("os.system.__call__('ls'); os.__dict__['system']('ls'); vars(os)['system']('ls'); sys.modules['os'].system('ls')", "sh<ls> sh<ls> sh<ls> sh<ls>"),
            ("(os\n .system)('ls')\nx = (os.\n system('ls'))", "sh<ls> sh<ls>"),
            ("exec(compile('os.system(\"ls\")', '', 'exec'))", "sh<ls>"),
            ("eval(f'{a} + {b}'); eval(f'x = {a}')", "opaque"),
            ("cmd = ''\nif x: cmd = 'ls'\nos.system(cmd)", "sh<ls>"),
            ("a = b = 'ls'\nos.system(a); os.system(b)", "sh<ls> sh<ls>"),
            ("subprocess.run([sys.executable, '-c', 'x'])", "run<python3|-c|x>"),
            ("f(\n  cmd='x',\n)\nos.system(cmd)", "opaque"),
        ],
    );
}

#[test]
fn python_files() {
    check(
        Python,
        &[
            ("open('a.txt','w').write('hi')", "write<a.txt><hi>"),
            ("with open('a', 'w') as f:\n    f.write('x')\n    f.write('y')", "write<a><xy>"),
            ("with open('a', 'w') as f:\n    f.write('x')\n    f.write(y)", "write<a>"),
            ("with open('a', mode='a') as f:\n    json.dump(x, f)", "append<a>"),
            ("f = open('a', 'wb')\nf.write(b'x')\nf.close()", "write<a><x>"),
            ("from pathlib import Path\nPath('a').write_text('t')", "write<a><t>"),
            ("from pathlib import Path\np = Path.home() / '.claude' / 'settings.json'\np.write_text('t')", "write<~/.claude/settings.json><t>"),
            ("p = Path('x')\np.unlink()", "rm<x>"),
            ("Path('a').rename('b')", "mv<a|b>"),
            ("os.remove('a'); os.unlink(os.path.join('d','b'))", "rm<a> rm<d/b>"),
            ("import shutil\nshutil.rmtree(os.path.expanduser('~/x'), ignore_errors=True)", "rmtree<~/x>"),
            ("os.open('a', os.O_WRONLY | os.O_CREAT)", "write<a>"),
            ("open(os.environ['HOME'] + '/.zshrc', 'a')", "append<~/.zshrc>"),
            ("open(f'{d}/x', 'w')", "write<?>"),
            ("(Path(__file__).parent / 'x').write_text('t')", "write<./x><t>"),
            ("with open('a') as f, open('b', 'w') as g:\n  g.write('x')\n  json.dump(d, g)", "write<b>"),
        ],
    );
}

#[test]
fn python_look_alikes() {
    check(
        Python,
        &[
            ("# os.system('rm -rf /')", ""),
            ("\"\"\"subprocess.run(['rm'])\"\"\"", ""),
            ("print(\"os.system('rm -rf /')\")", ""),
            ("re.compile('x'); open(p); open('a','r').read(); open('a', encoding='utf-8')", ""),
            ("def system(x): pass\nsystem('ls')", ""),
        ],
    );
}

#[test]
fn javascript_runs() {
    check(
        JavaScript,
        &[
            ("require('child_process').execSync('git push -f')", "sh<git push -f>"),
            ("const cp = require(\"child_process\"); cp.exec(`ls`)", "sh<ls>"),
            ("const {execSync: x, spawn} = require('node:child_process');\nx('ls'); spawn('git',['push','-f'])", "sh<ls> run<git|push|-f>"),
            ("import { execFileSync as e } from 'child_process'\ne('git', ['push'])", "run<git|push>"),
            ("import * as cp from 'node:child_process'; cp.spawn('git push', {shell:true})", "sh<git push>"),
            ("const cp = await import('child_process'); cp.execSync('ls')", "sh<ls>"),
            ("const exec = util.promisify(require('child_process').exec); exec('ls')", "sh<ls>"),
            ("child_process.execSync(`git push ${flag}`)", "sh<git push ?>"),
            ("const f = '-f'; child_process.execSync(`git push ${f}`)", "sh<git push -f>"),
            ("await $`git push -f`", "sh<git push -f>"),
            ("new Deno.Command('git', {args:['push']}).spawn()", "run<git|push>"),
            ("Bun.spawn(['git','push'])", "run<git|push>"),
            ("import {execa} from 'execa'; await execa('git',['push'])", "run<git|push>"),
            ("eval(\"require('fs').unlinkSync('a')\")", "rm<a>"),
            ("eval(atob('x'))", "opaque"),
            ("(0, require('child_process').execSync)('ls')", "sh<ls>"),
            ("console.log(`${require('child_process').execSync('ls')}`)", "sh<ls>"),
            ("require('child_process').execSync('bash', {input: 'git push -f'})", "sh<bash> run<bash><<git push -f"),
            ("import('child_process').then(({execSync}) => execSync('ls'))", "sh<ls>"),
            ("cp.execSync\n('ls'); cp?.execSync?.('ls')", "sh<ls> sh<ls>"),
        ],
    );
}

#[test]
fn javascript_files() {
    check(
        JavaScript,
        &[
            ("require('fs').writeFileSync('a','t')", "write<a><t>"),
            ("const fs = require('fs/promises'); await fs.appendFile('a', x)", "append<a>"),
            ("import fs from 'fs'; fs.promises.rm('d', {recursive:true, force:true})", "rmtree<d>"),
            ("import {rm, writeFile} from 'node:fs/promises'; rm('d'); writeFile('a','b',{flag:'a'})", "rm<d> append<a><b>"),
            ("const fs=require('fs'),path=require('path');fs.rmSync(path.join('a','b'),{recursive:true})", "rmtree<a/b>"),
            ("fs.renameSync('a','b'); fs.copyFileSync('a','c')", "mv<a|b> cp<a|c>"),
            ("const s = fs.createWriteStream('a', {flags:'a'}); s.write('x')", "append<a><x>"),
            ("Deno.removeSync('d', {recursive: true}); Deno.writeTextFileSync('a','b'); Bun.write('c', 'd')", "rmtree<d> write<a><b> write<c><d>"),
            ("const fsp = require('fs').promises; fsp.writeFile(path.resolve(__dirname, 'a'), 't')", "write<./a><t>"),
            ("const fd = fs.openSync('a','w'); fs.writeSync(fd, 'x'); fs.closeSync(fd)", "write<a><x>"),
        ],
    );
}

#[test]
fn javascript_look_alikes() {
    check(
        JavaScript,
        &[
            ("/x/.exec(s); regex.exec('rm -rf /'); re.exec(str)", ""),
            ("// execSync('x')\n/* fs.unlinkSync('x') */", ""),
            ("console.log(\"require('child_process').execSync('ls')\")", ""),
            ("const a = b / c; const r = /['\"]/; const q = x / y", ""),
            ("function exec(c) {}\nexec('ls')", ""),
            ("fs.readFileSync('a','utf8'); setTimeout(() => {}, 5)", ""),
            ("if (a) /'/.test(b); f('x'); g((a + b) / 2, \"/\")", ""),
        ],
    );
}

#[test]
fn ruby() {
    check(
        Ruby,
        &[
            ("system('git push -f')", "sh<git push -f>"),
            ("system \"git\", \"push\", \"-f\"", "run<git|push|-f>"),
            ("system(*%w[git push])", "run<git|push>"),
            ("system({'A'=>'b'}, 'ls')", "sh<ls>"),
            ("`git push -f`", "sh<git push -f>"),
            ("x = %x(git push #{y})", "sh<git push ?>"),
            ("exec 'ls' if x", "sh<ls>"),
            ("require 'open3'\nout, s = Open3.capture2e('git', 'push')", "run<git|push>"),
            ("IO.popen(['git','push'], 'r') { |io| io.read }", "run<git|push>"),
            ("system(<<~CMD)\n  git push -f\nCMD\nputs 1", "sh<  git push -f\n>"),
            ("File.write('a','t'); File.delete 'b'", "write<a><t> rm<b>"),
            ("File.open('a','w') { |f| f.write('x') }", "write<a><x>"),
            ("File.open('a','a') do |f|\n f.puts 'x'\nend", "append<a><x\n>"),
            ("FileUtils.rm_rf('d'); FileUtils.mv 'a', 'b'", "rmtree<d> mv<a|b>"),
            ("FileUtils.rm_rf %w[a b]", "rmtree<a> rmtree<b>"),
            ("Object.send(:system, 'ls')", "sh<ls>"),
            ("eval(Base64.decode64('x'))", "opaque"),
            ("eval(\"system('ls')\")", "sh<ls>"),
            ("puts \"system('ls')\" # `ls`", ""),
            ("=begin\nsystem('ls')\n=end\nFile.read('a')\ndef system(x)\nend", ""),
            ("File.write 'a', <<~T\n  x\nT\nsystem %w[git push].join(' ')", "write<a><  x\n> sh<git push>"),
            ("f = File.open('a','w')\nf << 'x'\nf.close", "write<a><x>"),
        ],
    );
}

#[test]
fn perl() {
    check(
        Perl,
        &[
            ("system('git push -f');", "sh<git push -f>"),
            ("system 'git', 'push', '-f';", "run<git|push|-f>"),
            ("my @c = qw(git push -f); system(@c) == 0 or die;", "run<git|push|-f>"),
            ("my $c = 'git push'; system(\"$c -f\");", "sh<git push -f>"),
            ("my $o = `git push -f`; my $p = qx{git push};", "sh<git push -f> sh<git push>"),
            ("system(\"rm -rf $d\")", "sh<rm -rf ?>"),
            ("use File::Path qw(remove_tree); remove_tree('d');", "rmtree<d>"),
            ("open(my $fh, '>', 'a') or die; open(F, \">>b\"); open F, '<c';", "write<a> append<b>"),
            ("open(my $p, '-|', 'git', 'push'); open(P, '| sh -x'); open(Q, 'ls |');", "run<git|push> sh<sh -x> sh<ls>"),
            ("rename 'a', 'b'; use File::Copy; copy('a','c'); move('d','e');", "mv<a|b> cp<a|c> mv<d|e>"),
            ("eval { system('ls') }; eval \"system('ls')\"; eval $x;", "sh<ls> sh<ls> opaque"),
            ("s/a/system('ls')/e; s{a}{b}; tr/a-z/A-Z/; $x =~ m/'/; y/'/\"/;", "sh<ls>"),
            ("# system('x')\n=pod\n\nsystem('y')\n\n=cut\nprint \"system('z')\\n\";", ""),
            ("print <<EOT;\nsystem('ls')\nEOT\nsystem('x');", "sh<x>"),
            ("system\n  qw(git push);\nmy $s = -s $file; my $t = 1; system 'x';", "run<git|push> sh<x>"),
            ("open(STDERR, '>&STDOUT'); open(my $o, '>&', STDOUT); open(F, '>-');", ""),
            ("system $^X, '-e', 'x'; system(\"$^X -e 1\"); system @$c; system @{$c};", "run<perl|-e|x> sh<perl -e 1> opaque opaque"),
        ],
    );
}

#[test]
fn php() {
    check(
        Php,
        &[
            ("<?php shell_exec('git push -f'); ?> don't system('x') <?= `ls` ?>", "sh<git push -f> sh<ls>"),
            ("system(\"git push $x\"); passthru('ls'); exec($c);", "sh<git push ?> sh<ls> opaque"),
            ("proc_open(['git','push'], [], $p); popen('ls','r');", "run<git|push> sh<ls>"),
            ("file_put_contents('a','t',FILE_APPEND); file_put_contents('b', $x);", "append<a><t> write<b>"),
            ("$f = fopen('a','w'); fwrite($f, 'x'); fclose($f); fopen('b','r');", "write<a><x>"),
            ("unlink('a'); rmdir('d'); rename('a','b'); copy('a','c');", "rm<a> rm<d> mv<a|b> cp<a|c>"),
            ("eval(base64_decode('x')); eval('system(\"ls\");');", "opaque sh<ls>"),
            ("call_user_func('system', 'ls'); $f = 'exec'; $f('ls');", "sh<ls> sh<ls>"),
            ("$pdo->exec('DROP'); $o->unlink('x'); // system('x')\n# exec('y')", ""),
            ("echo <<<EOT\nsystem('ls')\nEOT;\n\\system('x');", "sh<x>"),
            ("$x = 'sys' . 'tem'; $x('ls'); ('sys'.'tem')('ls'); @exec\n('ls');", "sh<ls> sh<ls> sh<ls>"),
            ("file_put_contents(__DIR__ . '/x', 't'); (new Process(['git','push'], '/tmp'))->run();", "write<./x><t> run<git|push>"),
        ],
    );
}

#[test]
fn awk() {
    check(
        Awk,
        &[
            ("BEGIN { system(\"git push -f\") }", "sh<git push -f>"),
            ("{ system(\"rm -rf \" $1) }", "sh<rm -rf ?>"),
            ("BEGIN { while ((\"git log\" | getline l) > 0) print l }", "sh<git log>"),
            ("BEGIN { \"date\" | getline d; print d | \"sort -u\" }", "sh<date> sh<sort -u><<?"),
            ("{ print $1 > \"out.txt\"; print \"x\" >> \"b\" }", "write<out.txt> append<b><x\n>"),
            ("BEGIN { print \"git push -f\" | \"sh\" }", "sh<sh><<git push -f\n"),
            ("{ print $0 | \"sh\" }", "sh<sh><<?"),
            ("BEGIN { c = \"git push\"; system(c \" -f\") }", "sh<git push -f>"),
            ("# system(\"x\")\n/system(\"x\")/ { print \"system(x)\" } $1 > 5 { print }", ""),
            ("{cmd=\"rm -rf \" $2; cmd | getline x; close(cmd)}", "sh<rm -rf ?>"),
        ],
    );
}

#[test]
fn lua() {
    check(
        Lua,
        &[
            ("os.execute('git push -f') os.execute [[git push]] os.execute[==[a]]b]==]", "sh<git push -f> sh<git push> sh<a]]b>"),
            ("local c = 'git push' .. ' -f'; io.popen(c):read('*a')", "sh<git push -f>"),
            ("load(\"os.execute('ls')\")() loadstring([[os.remove('a')]])()", "sh<ls> rm<a>"),
            ("local f = io.open('a', 'w') f:write('x') f:close()", "write<a><x>"),
            ("os.remove(os.getenv('HOME') .. '/x'); os.rename('a', 'b'); io.open('r')", "rm<~/x> mv<a|b>"),
            ("-- os.execute('ls')\n--[[ os.execute('ls')\n]] --[==[ os.execute('ls') ]] ]==] print([[os.execute('ls')]], t[a[1]])", ""),
        ],
    );
}

#[test]
fn julia() {
    check(
        Julia,
        &[
            ("run(`git push -f`); c = `ls $x`", "sh<git push -f> sh<ls ?>"),
            ("rm(homedir(); recursive=true); rm(\"a\", force=true); rm(joinpath(\"d\", \"b\"))", "rmtree<~> rm<a> rm<d/b>"),
            ("mv(\"a\", \"b\"); cp(\"a\", \"c\"); chmod(\"d\", 0o777, recursive=true)", "mv<a|b> cp<a|c> modes<d>"),
            ("open(\"a\", \"w\") do io\n write(io, \"x\")\nend; write(\"b\", \"t\" * \"u\")", "write<a><x> write<b><tu>"),
            ("rm(\"$(homedir())/x\", recursive=true); rm(\"$(ENV[\"HOME\"])/y\")", "rmtree<~/x> rm<~/y>"),
            ("# rm(\"a\")\n#= run(`ls`)\n=# println(\"rm(1)\"); open(\"a\"); read(\"b\", String)", ""),
        ],
    );
}

#[test]
fn jvm() {
    check(
        Jvm,
        &[
            ("'git push -f'.execute(); \"git ${x}\".execute().text; ['git', 'push'].execute()", "sh<git push -f> sh<git ?> run<git|push>"),
            ("new ProcessBuilder('git', 'push').start(); Runtime.getRuntime().exec(\"ls\")", "run<git|push> sh<ls>"),
            ("import sys.process._\n\"git push -f\".!; \"ls\".!!; \"pwd\" !", "sh<git push -f> sh<ls> sh<pwd>"),
            ("Seq(\"git\", \"push\").!; Process(\"ls\").!", "run<git|push> sh<ls>"),
            ("new File('a').delete(); new File(System.getProperty('user.home'), 'x').deleteDir()", "rm<a> rmtree<~/x>"),
            ("File(\"a\").deleteRecursively(); File(\"b\").writeText(\"t\"); File(\"c\").renameTo(File(\"d\"))", "rmtree<a> write<b><t> mv<c|d>"),
            (
                "Files.delete(Paths.get(\"a\")); Files.writeString(Path.of(\"b\"), \"t\"); Files.move(Path.of(\"c\"), Path.of(\"d\"))",
                "rm<a> write<b><t> mv<c|d>",
            ),
            ("// 'ls'.execute()\n/* new File('a').delete() */ println \"'ls'.execute()\"; if (\"a\" != b && \"a\" !in c) d", ""),
        ],
    );
}

#[test]
fn other_languages() {
    check(
        Unknown,
        &[
            ("execute(\"x\") system(\"git push -f\");", "sh<git push -f>"),
            ("# system('x')\n// system('y')\nlet s = \"system('z')\";", ""),
            ("It's a text, don't worry. system('ls')", "sh<ls>"),
            ("import subprocess\nsubprocess.run(['ls'])", "run<ls>"),
            ("require('child_process').execSync('ls')", "sh<ls>"),
            ("rename(\"a\", \"b\"); os.execute('ls')", "mv<a|b> sh<ls>"),
        ],
    );
}

#[test]
fn any_text_is_read_to_its_end() {
    let seeds = [
        "os.system(f\"{x!r:>{w}}\" % (a, b), [1, *c], {'k': `${`a${b}`}`})\n<<~E\n#{x}\nE\n",
        "q{a{b}c} s{x}{y}e qw( %w[ $x->[0] @{[ 1 ]} \"$y{z}\" <<\"A\"\nb\nA\n'\\u00e9\\x{41}\u{e9}",
        "<?php $f = <<<'X'\na\nX; ?> \u{1F600} /[/]/ \"\"\"a\\",
    ];
    for language in [Python, JavaScript, Ruby, Perl, Php, Lua, Julia, Jvm, Awk, Unknown] {
        for seed in seeds {
            for cut in (0..=seed.len()).filter(|cut| seed.is_char_boundary(*cut)) {
                let _ = scan(&seed[cut..], language);
                let _ = scan(&seed[..cut], language);
            }
        }
    }
}

#[test]
fn findings_are_bounded() {
    let found = scan(&"os.system('x')\n".repeat(5000), Python);
    assert_eq!(found.len(), 513);
    assert_eq!(found.last(), Some(&CodeAction::OpaqueShell));
}

#[test]
fn every_line_of_the_table_is_understood() {
    let kinds: Vec<&str> = Language::NAMES.iter().map(|(name, _)| *name).chain(["other", "method", "path"]).collect();
    let lines: Vec<&str> = functions::TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(lines.len() > 70);
    for line in lines {
        let (head, names) = line.split_once(": ").unwrap();
        let head: Vec<&str> = head.split(' ').collect();
        assert!(kinds.contains(&head[0]) && CallEffect::NAMES.iter().any(|(name, _)| *name == head[1]), "{line}");
        let client = matches!(head[1], "database" | "store" | "service");
        assert!(head.get(2).map_or(!client, |place| place.parse::<usize>().is_ok() != client) && names.split(' ').all(|name| !name.is_empty()), "{line}");
    }
}

thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Called for every byte and token that is looked at.
pub(super) fn count_step() {
    STEPS.set(STEPS.get() + 1);
}

#[test]
fn work_grows_with_the_text_only() {
    #[rustfmt::skip]
    let bad = [
        "f\"{", "((((", "[[[[", "a = ", "import ", "os.system(", "`${", "\"#{", "<<A\n", "/[", "x.y(", "q{",
        "a+", "'", "with open(", "for x in ", "print ", "a|getline ", "${", "a?b:", "if else ", "a=a+a\n", "{a=", "s{",
    ];
    let steps = |text: &str, language| {
        STEPS.set(0);
        let _ = scan(text, language);
        STEPS.get()
    };
    for language in [Python, JavaScript, Ruby, Perl, Php, Lua, Julia, Jvm, Awk, Unknown] {
        for seed in bad {
            let (once, twice) = (seed.repeat(4_000 / seed.len()), seed.repeat(8_000 / seed.len()));
            let (once, twice) = (steps(&once, language), steps(&twice, language));
            assert!(twice < once * 5 / 2, "{language:?} {seed:?}: {once} steps, then {twice}");
        }
    }
}

#[test]
fn temporary_folders_and_modes() {
    let made = |text: &str| text.replace('*', &MADE.to_string());
    let cases = |language, cases: &[(&str, &str)]| {
        let cases: Vec<(&str, String)> = cases.iter().map(|(text, expected)| (*text, made(expected))).collect();
        check(language, &cases.iter().map(|(text, expected)| (*text, expected.as_str())).collect::<Vec<_>>());
    };
    cases(
        Python,
        &[
            ("import tempfile,shutil; d=tempfile.mkdtemp(); shutil.rmtree(d)", "rmtree</tmp/*>"),
            ("from tempfile import mkdtemp\nimport shutil\nd = mkdtemp(prefix='x')\nshutil.rmtree(d + '/a')", "rmtree</tmp/*/a>"),
            ("import tempfile, os, shutil\nshutil.rmtree(os.path.join(tempfile.gettempdir(), 'x'))", "rmtree</tmp/x>"),
            ("import tempfile, shutil\nwith tempfile.TemporaryDirectory() as d:\n  shutil.rmtree(d)", "rmtree</tmp/*>"),
            ("import tempfile, shutil\nd = tempfile.TemporaryDirectory()\nshutil.rmtree(d.name)", "rmtree</tmp/*>"),
            ("import tempfile, shutil\nshutil.rmtree(tempfile.mkdtemp(dir='.'))", "rmtree<./*>"),
            // A folder that is not known stays so.
            ("import tempfile, shutil\nshutil.rmtree(tempfile.mkdtemp(dir=x))", "rmtree<?>"),
            ("import shutil\nd = mkdtemp_like()\nshutil.rmtree(d)", "rmtree<?>"),
            ("import tempfile, shutil\nd = tempfile.mkdtemp()\nd = '/home'\nshutil.rmtree(d)", "rmtree</tmp/*> rmtree</home>"),
            ("import os; os.chmod('/etc', 0o777)", "mode</etc>"),
            ("import shutil; shutil.chown('/etc/x', 'a')", "mode</etc/x>"),
        ],
    );
    cases(
        JavaScript,
        &[
            (
                "const fs=require('fs'),os=require('os'),path=require('path'); const d=fs.mkdtempSync(path.join(os.tmpdir(),'x-')); fs.rmSync(d,{recursive:true})",
                "rmtree</tmp/x-*>",
            ),
            ("const fs=require('fs'),os=require('os'); fs.rmSync(os.tmpdir()+'/x',{recursive:true})", "rmtree</tmp/x>"),
            ("import {mkdtemp,rm} from 'fs/promises'; const d = await mkdtemp('out-'); await rm(d,{recursive:true})", "rmtree<?>"),
            ("const fs=require('fs'); fs.rmSync(process.env.HOME,{recursive:true})", "rmtree<~>"),
            ("const fs=require('fs'); fs.chmodSync('.git/hooks/pre-commit', 0)", "mode<.git/hooks/pre-commit>"),
        ],
    );
    cases(
        Ruby,
        &[
            ("require 'tmpdir'; require 'fileutils'; d=Dir.mktmpdir; FileUtils.rm_rf(d)", "rmtree</tmp/*>"),
            ("require 'fileutils'; FileUtils.rm_rf(File.join(Dir.tmpdir, 'x'))", "rmtree</tmp/x>"),
            ("require 'fileutils'; FileUtils.chmod_R(0777, '/etc')", "modes</etc>"),
            ("File.chmod(0644, 'a', 'b')", "mode<a> mode<b>"),
        ],
    );
    cases(Php, &[("unlink(sys_get_temp_dir() . '/x');", "rm</tmp/x>"), ("chmod('/etc', 0777);", "mode</etc>")]);
}

#[test]
fn files_that_are_read_are_found() {
    for (language, text, path) in [
        (Language::Python, "print(open('a.txt').read())", "a.txt"),
        (Language::Python, "from pathlib import Path; print(Path('b.txt').read_text())", "b.txt"),
        (Language::JavaScript, "console.log(require('fs').readFileSync('c.txt', 'utf8'))", "c.txt"),
        (Language::Ruby, "puts File.read('d.txt')", "d.txt"),
    ] {
        let found = scan(text, language);
        assert!(found.contains(&CodeAction::Read { path: path.to_owned() }), "{text}: {found:?}");
    }
    assert!(!scan("print('open(a.txt)')", Language::Python).iter().any(|found| matches!(found, CodeAction::Read { .. })));
}

#[test]
fn requests() {
    check(
        Python,
        &[
            ("import requests as r\nr.delete('https://a.io/x')", "DELETE<https://a.io/x>"),
            ("requests.request('DELETE', BASE + '/x')", ""),
            ("BASE='https://a.io'\nrequests.request('delete', BASE + f'/x/{i}')", "DELETE<https://a.io/x/?>"),
            ("requests.request(url='https://a.io/x', method='delete')", "DELETE<https://a.io/x>"),
            ("requests.request(m, 'https://a.io/x')", ""),
            ("requests.post('https://a.io/x', json={'method': 'DELETE'})", "POST<https://a.io/x>"),
            ("s = requests.Session()\ns.delete('https://a.io/x')", "DELETE<https://a.io/x>"),
            ("with httpx.Client(base_url='https://a.io/v1') as c:\n  c.delete('x')", "DELETE<https://a.io/v1/x>"),
            ("urlopen(Request('https://a.io/x', method='DELETE'))", ""),
            ("from urllib.request import Request\nRequest('https://a.io/x', method='DELETE')", "DELETE<https://a.io/x>"),
            ("c=http.client.HTTPSConnection('a.io')\nc.request('DELETE', '/x')", "DELETE<https://a.io/x>"),
            ("client.delete('/items/1')", ""),
            ("cache.delete('key')", ""),
            ("print(\"requests.delete('https://a.io')\")", ""),
        ],
    );
    check(
        JavaScript,
        &[
            ("fetch('https://a.io/x', {method: 'DELETE'})", "DELETE<https://a.io/x>"),
            ("await fetch(`https://a.io/x/${id}`, {...o, method: 'DELETE'})", "DELETE<https://a.io/x/?>"),
            ("fetch('https://a.io/x', {method})", ""),
            ("fetch('https://a.io/x')", "GET<https://a.io/x>"),
            ("fetch(new Request('https://a.io/x', {method: 'PUT'}))", "PUT<https://a.io/x>"),
            ("const axios = require('axios'); axios({method: 'delete', baseURL: 'https://a.io', url: '/x'})", "DELETE<https://a.io/x>"),
            ("const api = axios.create({baseURL: 'https://a.io'}); api.delete('/x')", "DELETE<https://a.io/x>"),
            ("https.request({hostname: 'a.io', path: '/x', method: 'DELETE'})", "DELETE<https://a.io/x>"),
            ("seen.delete('https://a.io/x')", ""),
            ("app.delete('/x', f)", ""),
        ],
    );
    check(
        Ruby,
        &[
            ("u = URI('https://a.io/x')\nNet::HTTP::Delete.new(u)", "DELETE<https://a.io/x>"),
            ("HTTParty.delete('https://a.io/x')", "DELETE<https://a.io/x>"),
            ("Net::HTTP.new('a.io', 443).delete('/x')", "DELETE<https://a.io/x>"),
            ("'https://a'.delete('h')", ""),
        ],
    );
    check(
        Php,
        &[
            ("$c = curl_init('https://a.io/x'); curl_setopt($c, CURLOPT_CUSTOMREQUEST, 'DELETE');", "DELETE<https://a.io/x>"),
            ("$c = curl_init('https://a.io/x'); curl_setopt($c, CURLOPT_TIMEOUT, 9);", ""),
        ],
    );
    check(Perl, &[("HTTP::Tiny->new->delete('https://a.io/x')", "DELETE<https://a.io/x>"), ("delete $h{a}", "")]);
}

#[test]
fn queries() {
    check(
        Python,
        &[
            ("c=psycopg2.connect('host=a dbname=b')\ncur = c.cursor()\ncur.execute('DROP TABLE t')", "psql<host=a dbname=b|DROP TABLE t>"),
            ("with psycopg.connect(host='a', dbname=d) as c:\n  with c.cursor() as cur:\n    cur.execute('TRUNCATE t')", "psql<a|?|TRUNCATE t>"),
            (
                "from sqlalchemy import create_engine, text\ne=create_engine('postgresql+psycopg://h/d')\nwith e.begin() as c: c.execute(text('DELETE FROM t'))",
                "psql<postgresql://h/d|DELETE FROM t>",
            ),
            ("sqlalchemy.create_engine('sqlite:///a.db').connect().execute('DROP TABLE t')", "sqlite3<a.db|DROP TABLE t>"),
            ("redis.Redis(host='h').flushall()", "redis-cli<h|flushall>"),
            ("c.execute(sql)", ""),
            ("c=sqlite3.connect('a.db')\nc.execute(sql)\nc.close()", ""),
            ("print('DROP TABLE t')", ""),
        ],
    );
    check(
        JavaScript,
        &[
            ("const {Client}=require('pg'); const c=new Client('postgres://h/d'); c.query('DROP TABLE t')", "psql<postgres://h/d|DROP TABLE t>"),
            ("const D=require('better-sqlite3'); new D('a.db').prepare('x'); regex.exec('DROP TABLE t')", ""),
        ],
    );
    check(Php, &[("(new PDO('pgsql:host=h;dbname=d'))->exec('DROP TABLE t');", "psql<host=h dbname=d|DROP TABLE t>")]);
}
