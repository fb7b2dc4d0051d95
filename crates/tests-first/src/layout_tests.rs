//! Tests of `layout`: paths, templates, candidates.

use super::*;

#[test]
fn patterns_match_paths() {
    for (pattern, path, expected) in [
        ("src/**/*.rs", "src/a.rs", true),
        ("src/**/*.rs", "src/a/b/c.rs", true),
        ("src/**/*.rs", "lib/a.rs", false),
        ("src/*.rs", "src/a/b.rs", false),
        ("{src,lib}/**/*.{js,ts}", "lib/x/a.ts", true),
        ("**/migrations/**", "shop/migrations/0001.py", true),
        ("**/migrations/**", "migrations/0001.py", true),
        ("t/[0-9]*price*.t", "t/01-price.t", true),
        ("*.d.ts", "a.d.ts", true),
        ("*", ".nycrc", true),
    ] {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn names_are_taken_apart() {
    for (name, expected) in [("TaxRule", "tax rule"), ("tax_rule", "tax rule"), ("tax-rule", "tax rule"), ("HTTPServer", "httpserver"), ("", "")] {
        assert_eq!(words(name).join(" "), expected, "{name}");
    }
}

#[test]
fn candidates_stand_where_the_reference_says() {
    let catalogue = Catalogue::shipped().unwrap();
    for (layout, package, path, expected) in [
        (
            "jest",
            "packages/api/",
            "packages/api/src/billing/tax_rule.ts",
            "packages/api/src/billing/tax_rule.test.js packages/api/tests/billing/tax_rule.test.*",
        ),
        ("rust", "", "src/a/b.rs", "src/a/b_tests.rs tests/a/b.rs tests/b.rs tests/**/b*.rs src/a.rs"),
        ("python-pytest", "", "src/shop/tax.py", "tests/test_tax.py src/shop/test_tax.py"),
        ("java", "", "src/main/java/a/b/C.java", "src/test/java/a/b/CTest.java src/test/java/a/b/CIT.java"),
        ("go", "", "x/net_linux.go", "x/net_test.go x/*_test.go"),
        ("dotnet", "", "src/Shop/A/Price.cs", "tests/Shop.Tests/A/PriceTests.cs Shop.Tests/**/PriceTests.cs"),
        ("rspec", "", "app/controllers/price_controller.rb", "spec/controllers/price_controller_spec.rb spec/requests/**/price*_spec.rb"),
        ("twilio-functions", "", "functions/sms/reply.protected.js", "__tests__/sms/reply.test.js test/functions/sms/reply.test.js"),
        ("c", "", "src/tax_rule.cpp", "tests/tax_rule_test.cpp tests/**/TaxRuleTest.cpp"),
        ("perl", "", "lib/Shop/TaxRule.pm", "t/Shop/TaxRule.t t/**/*tax-rule*.t"),
    ] {
        let layout = catalogue.layouts.iter().find(|known| known.name == layout).unwrap();
        let captures = layout.source(path, package).unwrap_or_else(|| panic!("{path} is no source of {}", layout.name));
        let found: Vec<String> = layout.candidates(path, package, &captures).into_iter().map(|candidate| candidate.path).collect();
        for expected in expected.split(' ') {
            assert!(found.iter().any(|path| path == expected), "{path}: {expected} is not among {found:?}");
        }
    }
}
