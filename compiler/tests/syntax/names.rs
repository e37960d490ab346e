//! Keywords, names and words of other languages.

use super::check_errors;

#[test]
fn misspelt_statements() {
    check_errors(
        r"
        net n {
            inptu x: [N, 3]
            Input x2: [N, 3]
            lyer f(x) = x
            frezee w
            ouput y = x
        }
        trian {
            metirc accuracy(y, t)
            optimiser(w) = sgd()
        }
        blokc b(x) { retrun x }
        cosnt A = 1
        ",
        r"
        error[unknown-statement]: unknown statement `inptu`
         --> m.net:2:5
          |
        2 |     inptu x: [N, 3]
          |     ^^^^^
          |
          = help: did you mean `input`?

        error[unknown-statement]: unknown statement `Input`
         --> m.net:3:5
          |
        3 |     Input x2: [N, 3]
          |     ^^^^^
          |
          = help: did you mean `input`?

        error[unknown-statement]: unknown statement `lyer`
         --> m.net:4:5
          |
        4 |     lyer f(x) = x
          |     ^^^^
          |
          = help: did you mean `layer`?

        error[unknown-statement]: unknown statement `frezee`
         --> m.net:5:5
          |
        5 |     frezee w
          |     ^^^^^^
          |
          = help: did you mean `freeze`?

        error[unknown-statement]: unknown statement `ouput`
         --> m.net:6:5
          |
        6 |     ouput y = x
          |     ^^^^^
          |
          = help: did you mean `output`?

        error[unknown-statement]: unknown statement `trian`
         --> m.net:8:1
          |
        8 | trian {
          | ^^^^^
          |
          = help: did you mean `train`?

        error[unknown-statement]: unknown statement `metirc`
         --> m.net:9:5
          |
        9 |     metirc accuracy(y, t)
          |     ^^^^^^
          |
          = help: did you mean `metric`?

        error[unknown-statement]: unknown statement `optimiser`
          --> m.net:10:5
           |
        10 |     optimiser(w) = sgd()
           |     ^^^^^^^^^
           |
           = help: did you mean `optimizer`?

        error[unknown-statement]: unknown statement `blokc`
          --> m.net:12:1
           |
        12 | blokc b(x) { retrun x }
           | ^^^^^
           |
           = help: did you mean `block`?

        error[unknown-statement]: unknown statement `retrun`
          --> m.net:12:14
           |
        12 | blokc b(x) { retrun x }
           |              ^^^^^^
           |
           = help: did you mean `return`?

        error[unknown-statement]: unknown statement `cosnt`
          --> m.net:13:1
           |
        13 | cosnt A = 1
           | ^^^^^
           |
           = help: did you mean `const`?
        ",
    );
}

#[test]
fn keywords_as_names() {
    check_errors(
        r"
        const net = 1
        net block {
            input in: [layer]
            limits = 3
            target = input |> param(freeze: 1) |> layer
            freeze input, output
            h = x.output + input
        }
        ",
        r"
        error[reserved-name]: `net` is a keyword and cannot be a name
         --> m.net:1:7
          |
        1 | const net = 1
          |       ^^^
          |
          = help: choose another name: the keyword is for `net m { ... }`

        error[reserved-name]: `block` is a keyword and cannot be a name
         --> m.net:2:5
          |
        2 | net block {
          |     ^^^^^
          |
          = help: choose another name: the keyword is for `block twice(x) { ... return x }`

        error[reserved-name]: `in` is a keyword and cannot be a name
         --> m.net:3:11
          |
        3 |     input in: [layer]
          |           ^^
          |
          = help: choose another name: the keyword is for `in 1..4`

        error[reserved-name]: `layer` is a keyword and cannot be a name
         --> m.net:3:16
          |
        3 |     input in: [layer]
          |                ^^^^^
          |
          = help: choose another name: the keyword is for `layer f(a) = a |> dense(8) |> relu`

        error[reserved-name]: `target` is a keyword and cannot be a name
         --> m.net:5:5
          |
        5 |     target = input |> param(freeze: 1) |> layer
          |     ^^^^^^
          |
          = help: choose another name: the keyword is for `target t: [N, 2]`

        error[reserved-name]: `input` is a keyword and cannot be a name
         --> m.net:5:14
          |
        5 |     target = input |> param(freeze: 1) |> layer
          |              ^^^^^
          |
          = help: choose another name: the keyword is for `input x: [N, 4]`

        error[reserved-name]: `param` is a keyword and cannot be a name
         --> m.net:5:23
          |
        5 |     target = input |> param(freeze: 1) |> layer
          |                       ^^^^^
          |
          = help: choose another name: the keyword is for `param w: [4, 8] = glorot()`

        error[reserved-name]: `layer` is a keyword and cannot be a name
         --> m.net:5:43
          |
        5 |     target = input |> param(freeze: 1) |> layer
          |                                           ^^^^^
          |
          = help: choose another name: the keyword is for `layer f(a) = a |> dense(8) |> relu`

        error[reserved-name]: `input` is a keyword and cannot be a name
         --> m.net:6:12
          |
        6 |     freeze input, output
          |            ^^^^^
          |
          = help: choose another name: the keyword is for `input x: [N, 4]`

        error[reserved-name]: `output` is a keyword and cannot be a name
         --> m.net:6:19
          |
        6 |     freeze input, output
          |                   ^^^^^^
          |
          = help: choose another name: the keyword is for `output y = h |> dense(2)`

        error[reserved-name]: `output` is a keyword and cannot be a name
         --> m.net:7:11
          |
        7 |     h = x.output + input
          |           ^^^^^^
          |
          = help: choose another name: the keyword is for `output y = h |> dense(2)`

        error[reserved-name]: `input` is a keyword and cannot be a name
         --> m.net:7:20
          |
        7 |     h = x.output + input
          |                    ^^^^^
          |
          = help: choose another name: the keyword is for `input x: [N, 4]`
        ",
    );
}

#[test]
fn a_doubled_keyword() {
    check_errors(
        r"
        net n {
            input input x: [N]
        }
        ",
        r"
        error[unexpected-token]: expected the name of the input, found the keyword `input`
         --> m.net:2:11
          |
        2 |     input input x: [N]
          |           ^^^^^
        ",
    );
}

#[test]
fn a_file_of_another_program() {
    check_errors(
        "FANN_FLO_2.1\nnum_layers=3\nlearning_rate=0.7\n",
        r"
        error[foreign-file]: this is a network file of FANN, another program
         --> m.net:1:1
          |
        1 | FANN_FLO_2.1
          | ^^^^^^^^^^^^
          |
          = help: an Arenet file begins with a network: `net name { input x: [N, 3] ... }`
        ",
    );
}

#[test]
fn words_of_other_languages_at_the_top() {
    check_errors(
        r"
        import torch
        class Model:
            x = 3
        def f(x):
            return x
        fn g(x) { y = x }
        ",
        r"
        error[foreign-syntax]: `import` means nothing here
         --> m.net:1:1
          |
        1 | import torch
          | ^^^^^^
          |
          = help: a file stands alone and imports nothing

        error[foreign-syntax]: `class` means nothing here
         --> m.net:2:1
          |
        2 | class Model:
          | ^^^^^
          |
          = help: a network is `net name { ... }`

        error[foreign-syntax]: `def` means nothing here
         --> m.net:4:1
          |
        4 | def f(x):
          | ^^^
          |
          = help: a reusable part is `block name(x) { return ... }` or `layer name(x) = ...`

        error[foreign-syntax]: `fn` means nothing here
         --> m.net:6:1
          |
        6 | fn g(x) { y = x }
          | ^^
          |
          = help: a reusable part is `block name(x) { return ... }` or `layer name(x) = ...`
        ",
    );
}

#[test]
fn words_of_other_languages_in_a_net() {
    check_errors(
        r"
        net n {
            let h = x
            for i in 0..3 { k = h }
            if x
            output y = h
        }
        ",
        r"
        error[foreign-syntax]: `let` means nothing here
         --> m.net:2:5
          |
        2 |     let h = x
          |     ^^^
          |
          = help: a value is named with `name = value` alone

        error[foreign-syntax]: `for` means nothing here
         --> m.net:3:5
          |
        3 |     for i in 0..3 { k = h }
          |     ^^^
          |
          = help: there are no loops and no branches

        error[foreign-syntax]: `if` means nothing here
         --> m.net:4:5
          |
        4 |     if x
          |     ^^
          |
          = help: there are no loops and no branches
        ",
    );
}

#[test]
fn a_type_without_a_keyword() {
    check_errors(
        r"
        net n { x: [N, 3] }
        train { t: [N, 2] }
        ",
        r"
        error[unknown-statement]: `x` has a type, but no keyword says what it is
         --> m.net:1:9
          |
        1 | net n { x: [N, 3] }
          |         ^
          |
          = help: write `input x: ...`

        error[unknown-statement]: `t` has a type, but no keyword says what it is
         --> m.net:2:9
          |
        2 | train { t: [N, 2] }
          |         ^
          |
          = help: write `target t: ...`
        ",
    );
}

#[test]
fn values_without_a_name() {
    check_errors(
        r"
        block b(x) { relu(x) }
        net n {
            relu(x)
            x |> relu
        }
        train { accuracy(y, t) }
        ",
        r"
        error[unnamed-value]: this value has no name, so nothing can use it
         --> m.net:1:14
          |
        1 | block b(x) { relu(x) }
          |              ^^^^
          |
          = help: write `name = ...` or `return ...`

        error[unnamed-value]: this value has no name, so nothing can use it
         --> m.net:3:5
          |
        3 |     relu(x)
          |     ^^^^
          |
          = help: write `name = ...` or `output name = ...`

        error[unnamed-value]: this value has no name, so nothing can use it
         --> m.net:4:5
          |
        4 |     x |> relu
          |     ^
          |
          = help: write `name = ...` or `output name = ...`

        error[unnamed-value]: this value has no name, so nothing can use it
         --> m.net:6:9
          |
        6 | train { accuracy(y, t) }
          |         ^^^^^^^^
          |
          = help: write `metric accuracy(...)`, or what it sets, such as `stop = ...`
        ",
    );
}

#[test]
fn nothing_known() {
    check_errors(
        r"
        foo bar
        net n {}
        ",
        r"
        error[unexpected-token]: expected `const`, `block`, `net` or `train`, found `foo`
         --> m.net:1:1
          |
        1 | foo bar
          | ^^^
          |
          = help: a file holds `net name { ... }` and, for training, `train { ... }`
        ",
    );
}

#[test]
fn a_long_name_is_cut() {
    check_errors(
        r"
        net n { limit memory = 1 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb }
        ",
        r"
        error[unknown-unit]: unknown unit `bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…`
         --> m.net:1:26
          |
        1 | net n { limit memory = 1 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb }
          |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: a unit is one of B, KB, MB, GB, KiB, MiB, GiB
        ",
    );
}
