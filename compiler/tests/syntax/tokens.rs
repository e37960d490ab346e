//! Mistakes inside a single token.

use super::check_errors;

#[test]
fn unknown_characters() {
    check_errors(
        r"
        const A = $
        const B = a & b
        const C = 1 $$$ ?
        ",
        r"
        error[unknown-character]: unknown character `$`
         --> m.net:1:11
          |
        1 | const A = $
          |           ^

        error[unknown-character]: unknown character `&`
         --> m.net:2:13
          |
        2 | const B = a & b
          |             ^

        error[unknown-character]: unknown character `$`
         --> m.net:3:13
          |
        3 | const C = 1 $$$ ?
          |             ^
        ",
    );
}

#[test]
fn a_nul() {
    check_errors(
        "const A = \0",
        r"
        error[unknown-character]: the file holds a NUL character
         --> m.net:1:11
          |
        1 | const A = ␀
          |           ^
          |
          = help: is it a text file, encoded in UTF-8?
        ",
    );
}

#[test]
fn a_control_character() {
    check_errors(
        "const A = \x1b",
        r"
        error[unknown-character]: unknown character U+001B ESCAPE
         --> m.net:1:11
          |
        1 | const A = ␛
          |           ^
        ",
    );
}

#[test]
fn a_bidirectional_override() {
    check_errors(
        "const A = a\u{202e}b",
        r"
        error[unknown-character]: unknown character U+202E RIGHT-TO-LEFT OVERRIDE
         --> m.net:1:12
          |
        1 | const A = a�b
          |            ^
        ",
    );
}

#[test]
fn a_no_break_space() {
    check_errors(
        "const A =\u{a0}1",
        r"
        error[unknown-character]: unknown character U+00A0 NO-BREAK SPACE
         --> m.net:1:10
          |
        1 | const A =�1
          |          ^
        ",
    );
}

#[test]
fn letters_beyond_ascii() {
    check_errors(
        r"
        const größe = 1
        ",
        r"
        error[unknown-character]: unknown character `ö`
         --> m.net:1:9
          |
        1 | const größe = 1
          |         ^
          |
          = help: names are made of the letters A to Z, digits and `_`
        ",
    );
}

#[test]
fn typographic_signs() {
    check_errors(
        r"
        const A = 1 − 2
        const B = f(“cat”)
        const C = a × b
        ",
        r#"
        error[unknown-character]: unknown character `−`
         --> m.net:1:13
          |
        1 | const A = 1 − 2
          |             ^
          |
          = help: a minus sign is `-`

        error[unknown-character]: unknown character `“`
         --> m.net:2:13
          |
        2 | const B = f(“cat”)
          |             ^
          |
          = help: strings are written in straight quotes, "..."

        error[unknown-character]: unknown character `×`
         --> m.net:3:13
          |
        3 | const C = a × b
          |             ^
          |
          = help: multiplication is `*`
        "#,
    );
}

#[test]
fn a_single_bar() {
    check_errors(
        r"
        const A = x | relu
        ",
        r"
        error[unknown-character]: unknown character `|`
         --> m.net:1:13
          |
        1 | const A = x | relu
          |             ^
          |
          = help: a pipe is written `|>`
        ",
    );
}

#[test]
fn malformed_numbers() {
    check_errors(
        r"
        const A = 1.2.3
        const B = 12ab
        const C = 1e
        const D = 0x10
        const E = 1e-
        ",
        r"
        error[malformed-number]: `1.2.3` is not a number
         --> m.net:1:11
          |
        1 | const A = 1.2.3
          |           ^^^^^
          |
          = help: numbers look like `3`, `0.5` or `1e-3`

        error[malformed-number]: `12ab` is not a number
         --> m.net:2:11
          |
        2 | const B = 12ab
          |           ^^^^
          |
          = help: numbers look like `3`, `0.5` or `1e-3`, and a name cannot begin with a digit

        error[malformed-number]: `1e` is not a number
         --> m.net:3:11
          |
        3 | const C = 1e
          |           ^^
          |
          = help: numbers look like `3`, `0.5` or `1e-3`

        error[malformed-number]: `0x10` is not a number
         --> m.net:4:11
          |
        4 | const D = 0x10
          |           ^^^^
          |
          = help: numbers look like `3`, `0.5` or `1e-3`

        error[malformed-number]: `1e-` is not a number
         --> m.net:5:11
          |
        5 | const E = 1e-
          |           ^^^
          |
          = help: numbers look like `3`, `0.5` or `1e-3`
        ",
    );
}

#[test]
fn numbers_without_digits_around_the_point() {
    check_errors(
        r"
        const A = .5
        const B = 1. + 2
        ",
        r"
        error[malformed-number]: a number needs a digit before its point
         --> m.net:1:11
          |
        1 | const A = .5
          |           ^^
          |
          = help: write `0.5`

        error[malformed-number]: a number needs a digit after its point
         --> m.net:2:11
          |
        2 | const B = 1. + 2
          |           ^^
          |
          = help: write `1.0`
        ",
    );
}

#[test]
fn numbers_too_large() {
    check_errors(
        r"
        const A = 1e999
        const B = 9007199254740993
        net n {
            input x: [18446744073709551616]
            input y: [1] in 0..9223372036854775808
            limit memory = 18446744073709551615 KiB
        }
        ",
        r"
        error[number-too-large]: this number is larger than a 64-bit float can hold
         --> m.net:1:11
          |
        1 | const A = 1e999
          |           ^^^^^

        error[number-too-large]: this integer is larger than 2^53, the largest that is exact here
         --> m.net:2:11
          |
        2 | const B = 9007199254740993
          |           ^^^^^^^^^^^^^^^^
          |
          = help: write `1e20` where a rounded value will do

        error[number-too-large]: this number is larger than a 64-bit integer can hold
         --> m.net:4:15
          |
        4 |     input x: [18446744073709551616]
          |               ^^^^^^^^^^^^^^^^^^^^

        error[number-too-large]: this number is larger than a signed 64-bit integer can hold
         --> m.net:5:24
          |
        5 |     input y: [1] in 0..9223372036854775808
          |                        ^^^^^^^^^^^^^^^^^^^

        error[number-too-large]: this limit is larger than a 64-bit integer can hold
         --> m.net:6:20
          |
        6 |     limit memory = 18446744073709551615 KiB
          |                    ^^^^^^^^^^^^^^^^^^^^^^^^
        ",
    );
}

#[test]
fn an_unterminated_string() {
    check_errors(
        r#"
        const A = f("abc, 1)
        const B = "abc\
        const C = "abc\"
        "#,
        r#"
        error[unterminated-string]: this string has no end
         --> m.net:1:13
          |
        1 | const A = f("abc, 1)
          |             ^^^^^^^^
          |
          = help: a string ends with `"` on the line it begins on

        error[unterminated-string]: this string has no end
         --> m.net:2:11
          |
        2 | const B = "abc\
          |           ^^^^^
          |
          = help: a string ends with `"` on the line it begins on

        error[unterminated-string]: this string has no end
         --> m.net:3:11
          |
        3 | const C = "abc\"
          |           ^^^^^^
          |
          = help: a string ends with `"` on the line it begins on
        "#,
    );
}

#[test]
fn an_unknown_escape() {
    check_errors(
        r#"
        const A = "a\x"
        "#,
        r#"
        error[unknown-escape]: unknown escape `\x`
         --> m.net:1:13
          |
        1 | const A = "a\x"
          |             ^^
          |
          = help: a string knows `\"` and `\\`
        "#,
    );
}

/// A class with the end of a line in its name would break every table and message.
#[test]
fn a_line_feed_in_a_string() {
    check_errors(
        r#"
        const A = "a\n"
        "#,
        r#"
        error[unknown-escape]: unknown escape `\n`
         --> m.net:1:13
          |
        1 | const A = "a\n"
          |             ^^
          |
          = help: a string knows `\"` and `\\`
        "#,
    );
}

/// Where only the text of a string or comment holds them, they would go on to the terminal.
#[test]
fn hidden_characters() {
    check_errors(
        "const A = \"a\u{1b}[2J\"\nconst B = \"b\u{202e}\" // \u{9b}31m\tred\r\n",
        r#"
        error[hidden-character]: a string holds U+001B ESCAPE
         --> m.net:1:13
          |
        1 | const A = "a␛[2J"
          |             ^
          |
          = help: remove it: it does not print, and can change how the rest does

        error[hidden-character]: a string holds U+202E RIGHT-TO-LEFT OVERRIDE
         --> m.net:2:13
          |
        2 | const B = "b�" // �31m    red
          |             ^
          |
          = help: remove it: it does not print, and can change how the rest does

        error[hidden-character]: a comment holds U+009B CONTROL SEQUENCE INTRODUCER
         --> m.net:2:19
          |
        2 | const B = "b�" // �31m    red
          |                   ^
          |
          = help: remove it: it does not print, and can change how the rest does
        "#,
    );
}

#[test]
fn a_zero_width_space() {
    check_errors(
        "const A\u{200b} = 1",
        r"
        error[unknown-character]: unknown character U+200B ZERO WIDTH SPACE
         --> m.net:1:8
          |
        1 | const A� = 1
          |        ^
        ",
    );
}

#[test]
fn single_quotes() {
    check_errors(
        r"
        const A = 'abc'
        ",
        r#"
        error[foreign-syntax]: strings are written in double quotes
         --> m.net:1:11
          |
        1 | const A = 'abc'
          |           ^^^^^
          |
          = help: write "..."
        "#,
    );
}

#[test]
fn semicolons() {
    check_errors(
        r"
        const A = 1;
        const B = 2
        ",
        r"
        error[foreign-syntax]: statements need no terminators
         --> m.net:1:12
          |
        1 | const A = 1;
          |            ^
          |
          = help: remove the `;`
        ",
    );
}

#[test]
fn other_signs_of_equality() {
    check_errors(
        r"
        const A := 1
        const B == 2
        ",
        r"
        error[foreign-syntax]: a name is bound with `=`, not `:=`
         --> m.net:1:9
          |
        1 | const A := 1
          |         ^^
          |
          = help: write `name = value`

        error[foreign-syntax]: a name is bound with `=`, not `==`
         --> m.net:2:9
          |
        2 | const B == 2
          |         ^^
          |
          = help: write `name = value`
        ",
    );
}

#[test]
fn arrows() {
    check_errors(
        r"
        const A = x -> f => g
        ",
        r"
        error[foreign-syntax]: values flow through `|>`, not `->`
         --> m.net:1:13
          |
        1 | const A = x -> f => g
          |             ^^
          |
          = help: write `x |> dense(3)`

        error[foreign-syntax]: values flow through `|>`, not `=>`
         --> m.net:1:18
          |
        1 | const A = x -> f => g
          |                  ^^
          |
          = help: write `x |> dense(3)`
        ",
    );
}

#[test]
fn powers() {
    check_errors(
        r"
        const A = x ** 2
        ",
        r"
        error[foreign-syntax]: there is no power operator
         --> m.net:1:13
          |
        1 | const A = x ** 2
          |             ^^
          |
          = help: multiply the value with itself: `x * x`
        ",
    );
}

#[test]
fn inclusive_ranges() {
    check_errors(
        r"
        net n { input x: [N] in 0...9 input y: [N] in 0..=9 }
        ",
        r"
        error[foreign-syntax]: a range is written with `..` and leaves its end out
         --> m.net:1:26
          |
        1 | net n { input x: [N] in 0...9 input y: [N] in 0..=9 }
          |                          ^^^
          |
          = help: `0..10` means 0 to 9

        error[foreign-syntax]: a range is written with `..` and leaves its end out
         --> m.net:1:48
          |
        1 | net n { input x: [N] in 0...9 input y: [N] in 0..=9 }
          |                                                ^^^
          |
          = help: `0..10` means 0 to 9
        ",
    );
}

#[test]
fn other_comments() {
    check_errors(
        r"
        # one
        const A = 1 # two
        /* three
           four */ const B = 2
        ",
        r"
        error[foreign-syntax]: comments begin with `//`
         --> m.net:1:1
          |
        1 | # one
          | ^^^^^
          |
          = help: write `// ...`

        error[foreign-syntax]: comments begin with `//`
         --> m.net:2:13
          |
        2 | const A = 1 # two
          |             ^^^^^
          |
          = help: write `// ...`

        error[foreign-syntax]: comments begin with `//`
         --> m.net:3:1
          |
        3 | / /* three
        4 | |    four */ const B = 2
          | |__________^
          |
          = help: write `// ...`
        ",
    );
}
