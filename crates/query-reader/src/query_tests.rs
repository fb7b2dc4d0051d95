//! Kinds of texts, and that no text makes the reader fail.

use crate::{BETWEEN, HOLE, LossKind, QueryLanguage, QuerySettings, Source, read};

fn lost(language: QueryLanguage, text: &str, source: Source) -> Vec<LossKind> {
    read(&QuerySettings::new(language), &[(source, text.to_owned())], &mut |_| None).into_iter().map(|lost| lost.what).collect()
}

fn sql(text: &str) -> Vec<LossKind> {
    lost(QueryLanguage::Postgres, text, Source::Argument)
}

#[test]
fn a_loss_that_is_undone_is_none() {
    assert_eq!(sql("DROP TABLE a"), [LossKind::Table]);
    for text in ["BEGIN; DROP TABLE a; ROLLBACK", "BEGIN; DROP TABLE a", "DROP TABLE a; SELECT 1/0", "BEGIN; SAVEPOINT s; DELETE FROM a; ROLLBACK TO s; COMMIT"]
    {
        assert_eq!(sql(text), [], "{text}");
    }
    assert_eq!(lost(QueryLanguage::Postgres, "DROP TABLE a; SELECT 1/0", Source::Input), [LossKind::Table]);
    assert_eq!(lost(QueryLanguage::Mysql, "BEGIN; DROP TABLE a; ROLLBACK", Source::Argument), [LossKind::Table]);
}

#[test]
fn a_condition_that_is_always_true_is_none() {
    for condition in
        ["true", "1=1", "id=id", "id IS NOT NULL", "id=1 OR true", "NOT false", "name LIKE '%'", "EXISTS (SELECT 1)", "id IN (SELECT id FROM a)", "id > 0"]
    {
        assert_eq!(sql(&format!("DELETE FROM a WHERE {condition}")), [LossKind::AllRows], "{condition}");
    }
    for condition in ["id=1", "id IN (1,2)", "1=1 AND id=1", "name LIKE 'a%'", "created < now()", "id > 7", "email IS NULL", "id = ANY(ARRAY[1])"] {
        assert_eq!(sql(&format!("DELETE FROM a WHERE {condition}")), [LossKind::Rows], "{condition}");
    }
    assert_eq!(sql("DELETE FROM a WHERE false"), []);
}

#[test]
fn text_is_data() {
    for text in [
        "SELECT 'DROP TABLE a'",
        "-- DROP TABLE a",
        "/* DROP TABLE a */ SELECT 1",
        "SELECT $$; DROP TABLE a$$",
        "COMMENT ON TABLE a IS 'DROP TABLE b'",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DROP TABLE a $$",
    ] {
        assert_eq!(sql(text), [], "{text}");
    }
    assert_eq!(sql(&format!("{HOLE}")), [LossKind::Unknown]);
    assert_eq!(sql(&format!("DELETE FROM a WHERE id = {HOLE}")), [LossKind::Rows]);
}

/// Pieces of all languages put together at random: the reader ends, and does not fail.
#[test]
fn any_text_is_read() {
    const PIECES: &[&str] = &[
        "DROP ",
        "TABLE ",
        "a",
        ";",
        "'",
        "\"",
        "`",
        "$$",
        "$x$",
        "/*",
        "*/",
        "/*!50000 ",
        "--",
        "\n",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "WHERE ",
        "1=1 ",
        "OR ",
        "NOT ",
        "BEGIN ",
        "COMMIT",
        "ROLLBACK ",
        "TO ",
        "\\",
        "\\g ",
        "\\if true",
        "\\set a 'b",
        ":a",
        ":'a'",
        "DELIMITER //",
        "//",
        ".read x",
        ".restore",
        "DELETE FROM ",
        "UPDATE a SET ",
        "=",
        "CASE ",
        "END",
        "CREATE TRIGGER ",
        "WITH x AS (",
        "EXISTS ",
        "IN ",
        "BETWEEN ",
        "AND ",
        "db.",
        "drop",
        "()",
        "deleteMany(",
        "MULTI",
        "EXEC",
        "FLUSHALL",
        "\"\\x4",
        "mutation",
        "deleteA",
        "é",
        "\u{fffc}",
        "U&'\\00",
        "-",
        "1",
        "::",
        "MERGE INTO a USING b ON ",
        "WHEN MATCHED THEN ",
        "EXECUTE ",
        "PREPARE p AS ",
        "DO ",
        "\u{1f}",
        "function f(",
        "if (false) ",
        "if (",
        "eval(",
        "=>",
        ",",
    ];
    let mut seed = 7_u64;
    let mut next = |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap_or(0) % bound
    };
    for _ in 0..3_000 {
        let text: String = (0..next(30)).map(|_| PIECES[next(PIECES.len())]).collect();
        for (_, language) in QueryLanguage::NAMES {
            for source in [Source::Argument, Source::Input] {
                let settings = QuerySettings::new(*language);
                let _ = read(&settings, &[(source, text.clone())], &mut |_| Some(text.clone()));
            }
        }
    }
}

/// Twice the text takes about twice the time: nothing is read again and again.
#[test]
fn long_texts_end() {
    let many = [
        "(",
        "NOT ",
        "WHERE ",
        "SELECT 1;",
        "'",
        "/*",
        "\\if true\n",
        "WITH a AS (",
        "DELETE FROM a WHERE (",
        "EXPLAIN ",
        "function f(){",
        "[",
        "--\n",
        "$$",
        ":a",
        "BEGIN;",
        "x.y.",
    ];
    for piece in many {
        let text = piece.repeat(20_000 / piece.len());
        for (_, language) in QueryLanguage::NAMES {
            for source in [Source::Argument, Source::Input] {
                let mut settings = QuerySettings::new(*language);
                settings.variables = vec![("a".to_owned(), ":a :a".to_owned())];
                let _ = read(&settings, &[(source, text.clone())], &mut |_| None);
            }
        }
    }
}

#[test]
fn keys_and_documents() {
    let redis = |text: &str| lost(QueryLanguage::Redis, text, Source::Input);
    assert_eq!(redis("FLUSHALL"), [LossKind::Database]);
    assert_eq!(redis("\"\\x46LUSHALL\""), [LossKind::Database]);
    assert_eq!(redis("MULTI\nFLUSHALL\nDISCARD"), []);
    assert_eq!(lost(QueryLanguage::Redis, &format!("{BETWEEN}DEL{BETWEEN}a"), Source::Argument), [LossKind::Keys]);
    let mongo = |text: &str| lost(QueryLanguage::Mongo, text, Source::Argument);
    assert_eq!(mongo("db.a.drop()"), [LossKind::Table]);
    assert_eq!(mongo("db.a.deleteMany({})"), [LossKind::AllRows]);
    assert_eq!(mongo("db.a.deleteMany({_id: 1})"), [LossKind::Rows]);
    assert_eq!(mongo("db.a.drop"), []);
    assert_eq!(lost(QueryLanguage::GraphQl, "mutation { deleteUser(id: 1) { id } }", Source::Argument), [LossKind::Rows]);
    assert_eq!(lost(QueryLanguage::GraphQl, "query { deleteUser }", Source::Argument), []);
}
