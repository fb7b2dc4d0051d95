//! Assertions that ask less than before, of the same number, in the languages that are known; and rewritten ones that ask
//! as much.

use std::fmt::Write as _;

use tests_first::{Changed, FileVersion, judge};

use crate::tests_first::{Files, section};

/// The path of a test, what is around an assertion, and pairs of assertions: before and after.
struct Language {
    path: &'static str,
    around: (&'static str, &'static str),
    less: &'static [(&'static str, &'static str)],
    same: &'static [(&'static str, &'static str)],
}

const LANGUAGES: &[Language] = &[
    Language {
        path: "tests/test_a.py",
        around: ("def test_a():\n    x = run()\n    ", "\n"),
        less: &[
            ("assert run() == 1", "assert run()"),
            ("assert run() == 1099", "assert run() is not None"),
            ("assert run() == 1099", "assert run() > 0"),
            ("assert run() == 1099", "assert run() >= 0"),
            ("assert run() == 1099", "assert run() != 0"),
            ("assert x.total == 5", "assert x.total in (1, 5, 9)"),
            ("assert x.name == 'ada'", "assert isinstance(x.name, str)"),
            ("assert x['name'] == 'ada'", "assert x['name']"),
            ("self.assertEqual(run(), 3)", "self.assertIsNotNone(run())"),
            ("self.assertEqual(run(), 3)", "self.assertTrue(run())"),
            ("self.assertEqual(run(), 3)", "self.assertGreater(run(), 0)"),
            ("self.assertEqual(x.name, 'ada')", "self.assertIsInstance(x.name, str)"),
            ("mock.send.assert_called_once_with('a', 3)", "mock.send.assert_called_once()"),
            ("mock.send.assert_called_with('a')", "mock.send.assert_called()"),
        ],
        same: &[
            ("assert run() == 1", "assert run() == 2"),
            ("assert run() == 1", "result = run()\n    assert result == 1"),
            ("assert x == []", "assert not x"),
            ("assert x == True", "assert x"),
            ("assert x == None", "assert x is None"),
            ("self.assertEqual(x, None)", "self.assertIsNone(x)"),
            ("self.assertEqual(x, True)", "self.assertTrue(x)"),
            ("self.assertTrue(x == 3)", "self.assertEqual(x, 3)"),
            ("self.assertEqual(run(), 3)", "assert run() == 3"),
            ("assert x", "assert x == 3"),
            ("assert x is not None", "assert x.total == 5"),
            ("assert x == 3", "assert x is not None\n    assert x == 3"),
            ("assert len(x) == 3", "assert x == [1, 2, 3]"),
            ("assert abs(x - 3) < 0.1", "assert x == approx(3)"),
            ("assert x == 1", "assert 1 == x"),
        ],
    },
    Language {
        path: "src/a.test.ts",
        around: ("it('a', () => {\n  const x = run()\n  ", "\n})\n"),
        less: &[
            ("expect(total(cart)).toBe(1099)", "expect(total(cart)).toBeDefined()"),
            ("expect(total(cart)).toBe(1099)", "expect(total(cart)).toBeTruthy()"),
            ("expect(total(cart)).toBe(1099)", "expect(total(cart)).not.toBeNull()"),
            ("expect(total(cart)).toBe(1099)", "expect(total(cart)).toBeGreaterThan(0)"),
            ("expect(total(cart)).toBe(1099)", "expect(total(cart)).not.toBe(0)"),
            ("expect(x.user).toEqual({ name: 'ada' })", "expect(x.user).toEqual(expect.anything())"),
            ("expect(x.user).toStrictEqual({ name: 'ada' })", "expect(x.user).toBeInstanceOf(Object)"),
            ("expect(x.name).toBe('ada')", "expect(x.name).toEqual(expect.any(String))"),
            ("expect(x.count).toBe(0)", "expect(x.count).toBeDefined()"),
            ("expect(send).toHaveBeenCalledWith('a', 3)", "expect(send).toHaveBeenCalled()"),
            ("assert.strictEqual(run(), 3)", "assert.ok(run())"),
            ("assert.deepEqual(x.list, [1, 2])", "assert(x.list)"),
            ("expect(screen.getByRole('alert')).toHaveTextContent('Saved')", "expect(screen.getByRole('alert')).toBeInTheDocument()"),
        ],
        same: &[
            ("expect(total(cart)).toBe(1099)", "expect(total(cart)).toEqual(1099)"),
            ("expect(total(cart)).toBe(1099)", "expect(total(cart)).toBe(1200)"),
            ("expect(x.ok).toBe(true)", "expect(x.ok).toBeTruthy()"),
            ("expect(x.user).toBeDefined()", "expect(x.user).toEqual({ name: 'ada' })"),
            ("expect(x.user).toEqual({ name: 'ada' })", "expect(x.user).toBeDefined()\n  expect(x.user).toEqual({ name: 'ada' })"),
            ("expect(x.user.name).toBe('ada')", "expect(x.user).toEqual({ name: 'ada', age: 3 })"),
            ("expect(x).toBe(null)", "expect(x).toBeNull()"),
            ("expect(x.list.length).toBe(3)", "expect(x.list).toHaveLength(3)"),
            ("expect(x).toEqual({ a: 1 })", "expect(x).toMatchInlineSnapshot(`{ a: 1 }`)"),
            ("assert.equal(run(), 3)", "assert.strictEqual(run(), 3)"),
        ],
    },
    Language {
        path: "src/lib.rs",
        around: ("#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        let x = run();\n        ", "\n    }\n}\n"),
        less: &[
            ("assert_eq!(run(1), 3);", "assert!(run(1).is_some());"),
            ("assert_eq!(run(1), Ok(3));", "assert!(run(1).is_ok());"),
            ("assert_eq!(run(1), 3);", "assert!(run(1) > 0);"),
            ("assert_eq!(run(1), 3);", "assert_ne!(run(1), 0);"),
            ("assert_eq!(x.name, \"ada\");", "assert!(!x.name.is_empty());"),
        ],
        same: &[
            ("assert_eq!(run(1), 3);", "assert_eq!(run(1), 4);"),
            ("assert_eq!(x.ok, true);", "assert!(x.ok);"),
            ("assert!(x == 3);", "assert_eq!(x, 3);"),
            ("assert!(run(1).is_ok());", "assert_eq!(run(1), Ok(3));"),
        ],
    },
    Language {
        path: "a_test.go",
        around: ("package a\n\nfunc TestA(t *testing.T) {\n\tx := Run()\n\t", "\n}\n"),
        less: &[
            ("if Total(1) != 3 {\n\t\tt.Fatal(\"no\")\n\t}", "if Total(1) == 0 {\n\t\tt.Fatal(\"no\")\n\t}"),
            ("if x.Name != \"ada\" {\n\t\tt.Errorf(\"got %v\", x)\n\t}", "if x.Name == \"\" {\n\t\tt.Errorf(\"got %v\", x)\n\t}"),
            ("assert.Equal(t, 3, Total(1))", "assert.NotNil(t, Total(1))"),
            ("require.Equal(t, 3, Total(1))", "require.NotEmpty(t, Total(1))"),
            ("assert.Equal(t, 3, Total(1))", "assert.Greater(t, Total(1), 0)"),
        ],
        same: &[
            ("if Total(1) != 3 {\n\t\tt.Fatal(\"no\")\n\t}", "if got := Total(1); got != 3 {\n\t\tt.Fatalf(\"got %d\", got)\n\t}"),
            ("if err != nil {\n\t\tt.Fatal(err)\n\t}", "require.NoError(t, err)"),
            ("if Total(1) != 3 {\n\t\tt.Fatal(\"no\")\n\t}", "assert.Equal(t, 3, Total(1))"),
        ],
    },
    Language {
        path: "src/test/java/ATest.java",
        around: ("class ATest {\n  @Test\n  void a() {\n    var x = run();\n    ", "\n  }\n}\n"),
        less: &[
            ("assertEquals(3, total(1));", "assertNotNull(total(1));"),
            ("assertEquals(3, total(1));", "assertTrue(total(1) > 0);"),
            ("assertThat(total(1)).isEqualTo(3);", "assertThat(total(1)).isNotNull();"),
            ("assertThat(total(1)).isEqualTo(3);", "assertThat(total(1)).isPositive();"),
            ("assertThat(x.getName(), is(\"ada\"));", "assertThat(x.getName(), notNullValue());"),
        ],
        same: &[
            ("assertEquals(3, total(1));", "assertThat(total(1)).isEqualTo(3);"),
            ("assertEquals(true, x.ok());", "assertTrue(x.ok());"),
            ("assertNotNull(x);", "assertEquals(3, x.total());"),
        ],
    },
    Language {
        path: "spec/a_spec.rb",
        around: ("describe 'a' do\n  it 'b' do\n    ", "\n  end\nend\n"),
        less: &[
            ("expect(cart.total).to eq(3)", "expect(cart.total).to be_truthy"),
            ("expect(cart.total).to eq(3)", "expect(cart.total).not_to be_nil"),
            ("expect(cart.total).to eq(3)", "expect(cart.total).to be_present"),
            ("assert_equal 3, cart.total", "refute_nil cart.total"),
            ("assert_equal 3, cart.total", "assert cart.total"),
        ],
        same: &[
            ("expect(cart.total).to eq(3)", "expect(cart.total).to eql(3)"),
            ("expect(cart.open).to eq(true)", "expect(cart.open).to be_truthy"),
            ("expect(cart.total).to be_present", "expect(cart.total).to eq(3)"),
        ],
    },
    Language {
        path: "tests/ATest.php",
        around: ("<?php\nclass ATest extends TestCase {\n    public function testA() {\n        ", "\n    }\n}\n"),
        less: &[
            ("$this->assertSame(3, $cart->total());", "$this->assertNotNull($cart->total());"),
            ("$this->assertEquals(3, $cart->total());", "$this->assertTrue($cart->total() > 0);"),
            ("$this->assertEquals('ada', $cart->name());", "$this->assertNotEmpty($cart->name());"),
        ],
        same: &[("$this->assertEquals(3, $cart->total());", "$this->assertSame(3, $cart->total());")],
    },
    Language {
        path: "tests/Shop.Tests/ATests.cs",
        around: ("public class ATests {\n    [Fact]\n    public void A() {\n        ", "\n    }\n}\n"),
        less: &[
            ("Assert.Equal(3, cart.Total());", "Assert.NotNull(cart.Total());"),
            ("Assert.Equal(3, cart.Total());", "Assert.True(cart.Total() > 0);"),
            ("cart.Total().Should().Be(3);", "cart.Total().Should().NotBeNull();"),
        ],
        same: &[("Assert.Equal(3, cart.Total());", "cart.Total().Should().Be(3);"), ("Assert.Equal(true, cart.Open);", "Assert.True(cart.Open);")],
    },
    Language {
        path: "test/a_test.exs",
        around: ("defmodule ATest do\n  use ExUnit.Case\n\n  test \"a\" do\n    ", "\n  end\nend\n"),
        less: &[
            ("assert Shop.total(1) == 3", "assert Shop.total(1)"),
            ("assert Shop.total(1) == 3", "assert Shop.total(1) > 0"),
            ("assert Shop.total(1) == 3", "refute is_nil(Shop.total(1))"),
        ],
        same: &[("assert Shop.total(1) == 3", "assert 3 == Shop.total(1)"), ("assert Shop.open?() == true", "assert Shop.open?()")],
    },
    Language {
        path: "Tests/ShopTests/ATests.swift",
        around: ("final class ATests: XCTestCase {\n    func testA() {\n        ", "\n    }\n}\n"),
        less: &[
            ("XCTAssertEqual(cart.total, 3)", "XCTAssertNotNil(cart.total)"),
            ("XCTAssertEqual(cart.total, 3)", "XCTAssert(cart.total > 0)"),
            ("#expect(cart.total == 3)", "#expect(cart.total != nil)"),
        ],
        same: &[("XCTAssertEqual(cart.open, true)", "XCTAssertTrue(cart.open)"), ("XCTAssertEqual(cart.total, 3)", "#expect(cart.total == 3)")],
    },
    Language {
        path: "src/test/kotlin/ATest.kt",
        around: ("class ATest {\n    @Test\n    fun a() {\n        ", "\n    }\n}\n"),
        less: &[("assertEquals(3, cart.total())", "assertNotNull(cart.total())"), ("cart.total() shouldBe 3", "cart.total() shouldNotBe 0")],
        same: &[("assertEquals(3, cart.total())", "cart.total() shouldBe 3")],
    },
    Language {
        path: "test/a.bats",
        around: ("@test \"a\" {\n  run tool\n  ", "\n}\n"),
        less: &[("[ \"$output\" = \"three\" ]", "[ -n \"$output\" ]"), ("[ \"$status\" = 3 ]", "[ \"$status\" != 0 ]")],
        same: &[("[ \"$output\" = \"three\" ]", "[[ \"$output\" == \"three\" ]]"), ("[ \"$status\" -eq 0 ]", "[ \"$status\" = 0 ]")],
    },
    Language {
        path: "test/shop/a_test.clj",
        around: ("(ns shop.a-test)\n(deftest a\n  ", ")\n"),
        less: &[("(is (= 3 (total 1)))", "(is (total 1))"), ("(is (= 3 (total 1)))", "(is (some? (total 1)))")],
        same: &[("(is (= 3 (total 1)))", "(is (= 4 (total 1)))")],
    },
    Language {
        path: "test/a_test.dart",
        around: ("void main() {\n  test('a', () {\n    ", "\n  });\n}\n"),
        less: &[("expect(cart.total, 3);", "expect(cart.total, isNotNull);"), ("expect(cart.total, equals(3));", "expect(cart.total, greaterThan(0));")],
        same: &[("expect(cart.total, 3);", "expect(cart.total, equals(3));"), ("expect(cart.open, true);", "expect(cart.open, isTrue);")],
    },
    Language {
        path: "tests/a_test.cpp",
        around: ("TEST(A, B) {\n  ", "\n}\n"),
        less: &[
            ("EXPECT_EQ(total(1), 3);", "EXPECT_TRUE(total(1));"),
            ("EXPECT_EQ(total(1), 3);", "EXPECT_GT(total(1), 0);"),
            ("ASSERT_EQ(total(1), 3);", "ASSERT_NE(total(1), 0);"),
        ],
        same: &[("EXPECT_EQ(total(1), 3);", "EXPECT_EQ(3, total(1));"), ("EXPECT_EQ(open(), true);", "EXPECT_TRUE(open());")],
    },
];

#[test]
fn assertions_that_ask_less_are_found() {
    let mut wrong = String::new();
    let files = std::collections::BTreeMap::from(
        [
            "package.json",
            "pyproject.toml",
            "Cargo.toml",
            "go.mod",
            "pom.xml",
            "Gemfile",
            "composer.json",
            "Shop.sln",
            "mix.exs",
            "Package.swift",
            "deps.edn",
            "pubspec.yaml",
            "CMakeLists.txt",
            "build.gradle.kts",
        ]
        .map(|name| (name.to_owned(), String::new())),
    );
    let (mut less, mut same) = (0, 0);
    for Language { path, around, less: weaker, same: others } in LANGUAGES {
        let text = |assertion: &str| FileVersion::Known(format!("{}{assertion}{}", around.0, around.1));
        for (pairs, expected) in [(weaker, true), (others, false)] {
            for (before, after) in *pairs {
                let change = Changed { path: (*path).to_owned(), old: text(before), new: text(after), part: false };
                let found = judge(&[change], &Files(&files), &section(), 0);
                let got = found.iter().any(|finding| finding.rule == "tests-weakened");
                *if expected { &mut less } else { &mut same } += 1;
                if got != expected {
                    let _ = writeln!(
                        wrong,
                        "{path}: `{before}` -> `{after}`: expected {expected} {:?}",
                        found.iter().map(|finding| &finding.reason).collect::<Vec<_>>()
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "of {less} that ask less and {same} that do not:\n{wrong}");
}
