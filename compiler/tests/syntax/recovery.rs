//! How reading goes on after a mistake.

use super::{check_errors, check_rest};

#[test]
fn five_mistakes_are_five_errors() {
    check_errors(
        r"
        const A = 1.2.3
        net n {
            inptu x: [N, 4]
            h = x |> dense(16 |> relu
            output y =
            output probs = softmax(h)
        }
        train {
            target t [N]
            epochs = 3
        }
        ",
        r"
        error[malformed-number]: `1.2.3` is not a number
         --> m.net:1:11
          |
        1 | const A = 1.2.3
          |           ^^^^^
          |
          = help: numbers look like `3`, `0.5` or `1e-3`

        error[unknown-statement]: unknown statement `inptu`
         --> m.net:3:5
          |
        3 |     inptu x: [N, 4]
          |     ^^^^^
          |
          = help: did you mean `input`?

        error[unclosed-bracket]: expected `,` or `)`, found the keyword `output`
         --> m.net:4:30
          |
        4 |     h = x |> dense(16 |> relu
          |                   -          ^
          |                   |
          |                   this `(` is open

        error[unexpected-token]: expected a value, found the keyword `output`
         --> m.net:5:15
          |
        5 |     output y =
          |               ^

        error[unexpected-token]: expected `:` and a type after `t`, found `[`
         --> m.net:9:14
          |
        9 |     target t [N]
          |              ^
        ",
    );
}

#[test]
fn what_is_left_of_five_mistakes() {
    check_rest(
        r"
        const A = 1.2.3
        net n {
            inptu x: [N, 4]
            h = x |> dense(16 |> relu
            output y =
            output probs = softmax(h)
        }
        train {
            target t [N]
            epochs = 3
        }
        ",
        r"
        const `A`
          number 0.0 `1.2.3`
        net n `net n { ... }`
          input `x`
            type `[N, 4]`
              name `N`
              size 4 `4`
          output `probs`
            call softmax `softmax(h)`
              name h `h`
        train `train { ... }`
          set `epochs`
            number 3.0 `3`
        ",
    );
}

#[test]
fn misplaced_constants_count() {
    check_rest(
        r"
        net n {
            const A = 1
            target t: [N]
        }
        ",
        r"
        const `A`
          number 1.0 `1`
        net n `net n { ... }`
        ",
    );
}

#[test]
fn a_brace_too_early_is_one_error() {
    check_errors(
        r"
        net a {
            input x: [N]
            }
            h = x
            output y = h
        }
        train { epochs = 3 }
        ",
        r"
        error[misplaced-statement]: this statement stands outside of `net`, `train` and `block`
         --> m.net:4:5
          |
        4 |     h = x
          |     ^
          |
          = help: statements stand between the braces of `net name { ... }`
        ",
    );
}

#[test]
fn a_value_in_braces_is_passed_over() {
    check_errors(
        r"
        net n {
            h = { x = 1 y = 2 }
            k 3
        }
        ",
        r"
        error[unexpected-token]: expected a value, found `{`
         --> m.net:2:9
          |
        2 |     h = { x = 1 y = 2 }
          |         ^

        error[unexpected-token]: expected `=` after `k`, found `3`
         --> m.net:3:7
          |
        3 |     k 3
          |       ^
        ",
    );
}

#[test]
fn one_error_for_a_broken_line() {
    check_errors(
        r#"
        net n {
            h = a ? b ! c % d
            k = f(a, ^, b = 3, "x, y) + 2
            output y = = = 3
            freeze 1, 2, 3
        }
        "#,
        r#"
        error[unknown-character]: unknown character `?`
         --> m.net:2:11
          |
        2 |     h = a ? b ! c % d
          |           ^
          |
          = help: an open size is the batch, `N`; there are no conditions

        error[unknown-character]: unknown character `!`
         --> m.net:2:15
          |
        2 |     h = a ? b ! c % d
          |               ^

        error[unknown-character]: unknown character `%`
         --> m.net:2:19
          |
        2 |     h = a ? b ! c % d
          |                   ^

        error[unknown-character]: unknown character `^`
         --> m.net:3:14
          |
        3 |     k = f(a, ^, b = 3, "x, y) + 2
          |              ^

        error[unterminated-string]: this string has no end
         --> m.net:3:24
          |
        3 |     k = f(a, ^, b = 3, "x, y) + 2
          |                        ^^^^^^^^^^
          |
          = help: a string ends with `"` on the line it begins on

        error[unexpected-token]: expected a value, found `=`
         --> m.net:4:16
          |
        4 |     output y = = = 3
          |                ^

        error[unexpected-token]: expected the name of what to freeze, found `1`
         --> m.net:5:12
          |
        5 |     freeze 1, 2, 3
          |            ^
        "#,
    );
}
