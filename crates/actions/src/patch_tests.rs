//! Patch texts and the changes that are read from them.

use super::*;

fn show(changes: Option<Vec<FileChange>>) -> String {
    let line =
        |change: &FileChange| format!("{:?} {} +[{}] -[{}]", change.kind, change.path, change.added.replace('\n', "|"), change.removed.replace('\n', "|"));
    changes.map_or_else(|| "unreadable".to_owned(), |changes| changes.iter().map(line).collect::<Vec<_>>().join("; "))
}

#[test]
fn envelopes_give_their_files() {
    let cases = [
        ("*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** End Patch", "Add a.txt +[one|two] -[]"),
        ("*** Begin Patch\n*** Update File: a\n@@ fn x\n same\n-old\n+new\n*** End of File\n*** End Patch\n", "Update a +[new] -[old]"),
        ("*** Begin Patch\n*** Delete File: a b.txt\n*** End Patch", "Delete a b.txt +[] -[]"),
        ("*** Begin Patch\n*** Update File: old.rs\n*** Move to: new.rs\n@@\n-a\n+b\n*** End Patch", "Delete old.rs +[] -[]; Update new.rs +[b] -[a]"),
        ("<<'EOF'\n*** Begin Patch\n*** Delete File: x\n*** End Patch\nEOF\n", "Delete x +[] -[]"),
        ("  *** Begin Patch  \r\n *** Add File: x \r\n+y\r\n*** End Patch", "Add x +[y] -[]"),
        // Added text that looks like a header is text.
        (
            "*** Begin Patch\n*** Add File: x\n+*** Delete File: y\n+*** End Patch\n*** Delete File: z\n*** End Patch",
            "Add x +[*** Delete File: y|*** End Patch] -[]; Delete z +[] -[]",
        ),
        // The last marker is missing: what is there counts.
        ("*** Begin Patch\n*** Delete File: x", "Delete x +[] -[]"),
        ("*** Begin Patch\n*** End Patch", ""),
        ("no patch at all", ""),
        ("", ""),
        ("*** Begin Patch\nwhat is this\n*** End Patch", "unreadable"),
        ("*** Begin Patch\n*** Add File:\n*** End Patch", "unreadable"),
        ("*** Begin Patch", "unreadable"),
    ];
    for (text, expected) in cases {
        assert_eq!(show(read(text)), expected, "{text}");
    }
}

#[test]
fn diffs_give_their_files() {
    let cases = [
        ("--- a/x.c\t2020-01-01 00:00:00\n+++ b/x.c\t2020-01-02\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n", "Update x.c +[new] -[old]"),
        // Counts decide, so that text is not taken for headers.
        ("--- x\n+++ x\n@@ -1,2 +1,2 @@\n--- y\n-b\n+++ z\n+c\n", "Update x +[++ z|c] -[-- y|b]"),
        (
            "diff --git a/n b/n\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+hi\ndiff --git a/g b/g\ndeleted file mode 100644\n--- a/g\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n",
            "Add n +[hi] -[]; Delete g +[] -[bye]",
        ),
        (
            "diff --git a/o b/p\nsimilarity index 90%\nrename from o\nrename to p\n--- a/o\n+++ b/p\n@@ -1 +1 @@\n-1\n+2\n",
            "Delete o +[] -[]; Update p +[2] -[1]",
        ),
        ("diff --git a/o b/p\nsimilarity index 100%\ncopy from o\ncopy to p\n", "Update p +[] -[]"),
        ("diff --git a/s b/s\nold mode 100644\nnew mode 100755\n", "Update s +[] -[]"),
        ("diff --git a/e e b/e e\nnew file mode 100644\nindex 0..0\n", "Add e e +[] -[]"),
        ("diff --git a/i.png b/i.png\nindex 1..2 100644\nGIT binary patch\nliteral 4\nLcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n", "Update i.png +[] -[]"),
        ("diff --git a/i.png b/i.png\nnew file mode 100644\nBinary files /dev/null and b/i.png differ\n", "Add i.png +[] -[]"),
        (
            "diff --git \"a/f\\303\\251.txt\" \"b/f\\303\\251.txt\"\n--- \"a/f\\303\\251.txt\"\n+++ \"b/f\\303\\251.txt\"\n@@ -1 +1 @@\n-a\n+b\n",
            "Update fé.txt +[b] -[a]",
        ),
        ("--- x\n+++ x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n", "Update x +[b] -[a]"),
        (
            "From 1 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH] x\n\n---\n f | 2 +-\n\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@ fn\n-a\n+b\n-- \n2.30\n",
            "Update f +[b] -[a]",
        ),
        ("--- c.orig\n+++ c\n@@ -1 +1 @@\n-a\n+b\n", "Update c +[b] -[a]"),
        ("--- c\n+++ d\n@@ -1 +1 @@\n-a\n+b\n", "Update c +[b] -[a]; Update d +[b] -[a]"),
        ("--- x\t1970-01-01 00:00:00.000000000 +0000\n+++ x\t2020-01-01\n@@ -0,0 +1 @@\n+a\n", "Add x +[a] -[]"),
        ("Index: t.txt\n=====\n--- t.txt\t(revision 1)\n+++ t.txt\t(working copy)\n@@ -1 +1 @@\n-a\n+b\n", "Update t.txt +[b] -[a]"),
        ("Index: t.txt\n@@ -1 +1 @@\n-a\n+b\n", "Update t.txt +[b] -[a]"),
        ("  --- x\n  +++ x\n  @@ -1 +1 @@\n  -a\n  +b\n", "Update x +[b] -[a]"),
        ("*** x\t2020\n--- x\t2020\n***************\n*** 1,2 ****\n  k\n! a\n--- 1,2 ----\n  k\n! b\n", "unreadable"),
        // Counts that are too small, as models write them.
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-d\n+e\n", "Update x +[b|c] -[a]; Update y +[e] -[d]"),
        ("--- a/x\n+++ b/x\n@@\n-a\n+b\n", "Update x +[b] -[a]"),
        ("@@ -1 +1 @@\n-a\n+b\n", "unreadable"),
        ("just prose\n--- a rule\n", ""),
        ("--- a/x\n+++ b/x\n", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(show(read(text)), expected, "{text}");
    }
}

#[test]
fn pieces_of_patches_do_no_harm() {
    let text = "diff --git \"a/\\3\" \"b\nrename from \n--- \"x\n+++ \u{e9}\n@@ -1,9 +1,9 @@\n-\n+\u{e9}\n*** Begin Patch\n*** Move to: x\n*** Update File: y\n*** Move to:\n";
    for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
        let _ = read(&text[..end]);
        let _ = read(&text[end..]);
    }
}
