//! Brackets and commas that are missing, or too many.

use super::check_errors;

#[test]
fn a_missing_closing_bracket() {
    check_errors(
        r"
        net n {
            input x: [N, 3
            h = x |> dense(3 |> relu
            output y = (h + 1
        }
        ",
        r"
        error[unclosed-bracket]: expected `,` or `]`, found `h`
         --> m.net:2:19
          |
        2 |     input x: [N, 3
          |              -    ^
          |              |
          |              this `[` is open

        error[unclosed-bracket]: expected `,` or `)`, found the keyword `output`
         --> m.net:3:29
          |
        3 |     h = x |> dense(3 |> relu
          |                   -         ^
          |                   |
          |                   this `(` is open

        error[unclosed-bracket]: expected `,` or `)`, found `}`
         --> m.net:4:22
          |
        4 |     output y = (h + 1
          |                -     ^
          |                |
          |                this `(` is open
        ",
    );
}

#[test]
fn the_wrong_closing_bracket() {
    check_errors(
        r"
        const A = f(1]
        ",
        r"
        error[unclosed-bracket]: expected `,` or `)`, found `]`
         --> m.net:1:14
          |
        1 | const A = f(1]
          |            - ^
          |            |
          |            this `(` is open
        ",
    );
}

#[test]
fn a_missing_comma() {
    check_errors(
        r#"
        const A = f(a b, c d)
        net n { input x: [N 3] in ["a" "b"] }
        "#,
        r#"
        error[unclosed-bracket]: expected `,` or `)`, found `b`
         --> m.net:1:15
          |
        1 | const A = f(a b, c d)
          |            -  ^
          |            |
          |            this `(` is open

        error[unclosed-bracket]: expected `,` or `]`, found `3`
         --> m.net:2:21
          |
        2 | net n { input x: [N 3] in ["a" "b"] }
          |                  -  ^
          |                  |
          |                  this `[` is open

        error[unclosed-bracket]: expected `,` or `]`, found a string
         --> m.net:2:32
          |
        2 | net n { input x: [N 3] in ["a" "b"] }
          |                           -    ^^^
          |                           |
          |                           this `[` is open
        "#,
    );
}

#[test]
fn a_missing_bracket_before_a_binding() {
    check_errors(
        r"
        train {
            loss = mse(y,
            epochs = 3
        }
        ",
        r"
        error[unexpected-token]: expected a value, found `epochs =`
         --> m.net:2:18
          |
        2 |     loss = mse(y,
          |               -  ^
          |               |
          |               this `(` is open
        ",
    );
}

#[test]
fn too_many_closing_brackets() {
    check_errors(
        r"
        const A = f(a))
        net n {
            h = [b]]
            k = 1]
        }
        }
        ",
        r"
        error[unmatched-bracket]: this `)` closes nothing
         --> m.net:1:15
          |
        1 | const A = f(a))
          |               ^

        error[unmatched-bracket]: this `]` closes nothing
         --> m.net:3:12
          |
        3 |     h = [b]]
          |            ^

        error[unmatched-bracket]: this `]` closes nothing
         --> m.net:4:10
          |
        4 |     k = 1]
          |          ^

        error[unmatched-bracket]: this `}` closes nothing
         --> m.net:6:1
          |
        6 | }
          | ^
        ",
    );
}

#[test]
fn a_missing_opening_brace() {
    check_errors(
        r"
        net a
            input x: [N]
        train epochs = 3 }
        ",
        r"
        error[unexpected-token]: expected `{`, found the keyword `input`
         --> m.net:1:6
          |
        1 | net a
          |      ^

        error[unexpected-token]: expected `{`, found `epochs`
         --> m.net:3:7
          |
        3 | train epochs = 3 }
          |       ^^^^^^
        ",
    );
}

#[test]
fn a_missing_closing_brace() {
    check_errors(
        r"
        net a {
            input x: [N]
        train {
            epochs = 3
        }
        ",
        r"
        error[unclosed-bracket]: expected `}`, found the keyword `train`
         --> m.net:2:17
          |
        1 | net a {
          |       - this `{` is open
        2 |     input x: [N]
          |                 ^
          |
          = help: `net`, `train` and `block` stand side by side
        ",
    );
}

#[test]
fn a_missing_closing_brace_at_the_end() {
    check_errors(
        r"
        net a {
            input x: [N]
        ",
        r"
        error[unclosed-bracket]: expected `}`, found the end of the file
         --> m.net:2:17
          |
        1 | net a {
          |       - this `{` is open
        2 |     input x: [N]
          |                 ^
        ",
    );
}

#[test]
fn a_net_inside_a_net() {
    check_errors(
        r"
        net a {
            train { epochs = 3 }
        }
        ",
        r"
        error[unclosed-bracket]: expected `}`, found the keyword `train`
         --> m.net:1:8
          |
        1 | net a {
          |       -^
          |       |
          |       this `{` is open
          |
          = help: `net`, `train` and `block` stand side by side
        ",
    );
}
