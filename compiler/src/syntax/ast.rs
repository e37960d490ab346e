//! The syntax tree of a `.net` file: what was written, with spans and without meaning.

use crate::diagnostic::Span;

/// A name as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// The text of the name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A statement with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The statement.
    pub node: T,
    /// All of it, from its keyword on.
    pub span: Span,
}

/// A whole file. More than one `net` or `train` is an error of the lowering, which has the spans.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// The items in the order of the text.
    pub items: Vec<Item>,
}

/// One top-level item.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `const NAME = expr`
    Const(Bind),
    /// `block NAME(params) { binds return expr }`
    Block(Block),
    /// `net NAME { statements }`
    Net(Net),
    /// `train { entries }`
    Train(Train),
}

/// `NAME = expr`
#[derive(Clone, Debug, PartialEq)]
pub struct Bind {
    /// The name being bound.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
}

/// A reusable sub-network; every call of it has parameters of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The name it is called by.
    pub name: Ident,
    /// The names of its arguments.
    pub params: Vec<Ident>,
    /// The local bindings.
    pub body: Vec<Bind>,
    /// The value of a call; `None` where a mistake is in its place.
    pub result: Option<Expr>,
    /// From `block` to `}`.
    pub span: Span,
}

/// The network.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// Its name.
    pub name: Ident,
    /// Its statements in order.
    pub body: Vec<Spanned<Stmt>>,
    /// From `net` to `}`.
    pub span: Span,
}

/// One statement of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// `input x: [N, 4]`
    Input(Port),
    /// `output y` or `output y = expr`
    Output {
        /// The name of the output.
        name: Ident,
        /// Its value; without one, a name bound elsewhere in the net.
        value: Option<Expr>,
    },
    /// `param w: [4, 3] = glorot()`
    Param {
        /// The name of the parameter.
        name: Ident,
        /// Its type.
        ty: Type,
        /// Its initial value.
        init: Option<Call>,
    },
    /// `layer encode(x) = expr`: one parameter set, shared by all its calls.
    Layer {
        /// The name it is called by.
        name: Ident,
        /// The names of its arguments.
        params: Vec<Ident>,
        /// The value of a call.
        value: Expr,
    },
    /// `freeze a, b`
    Freeze(Vec<Ident>),
    /// `limit memory = 64 KiB`
    Limit {
        /// The limit in bytes.
        bytes: u64,
        /// The whole statement.
        span: Span,
    },
    /// `h = expr`
    Bind(Bind),
}

/// A named array that comes from outside: an input or a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// The values it may take.
    pub domain: Option<Domain>,
    /// The columns of a table that it takes.
    pub from: Option<Columns>,
    /// What it is without a value.
    pub missing: Option<Missing>,
}

/// `from "mass"`, `from [0, 2..5, "mass"]`
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// The columns in order.
    pub items: Vec<ColumnItem>,
    /// From `from` to the last of them.
    pub span: Span,
}

/// One item of a list of columns.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnItem {
    /// A name in the header.
    Name(String, Span),
    /// Places, from the first up to, but not including, the second.
    Places(u64, u64, Span),
}

/// `missing`, `missing: ["none"]` or `unknown`
#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    /// It may be without a value, which these words stand for beside the usual ones.
    Words(Vec<String>, Span),
    /// The same, and what its domain does not list.
    Unknown(Span),
}

/// `f32[N, 4]`
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// The element type, f32 when left out.
    pub dtype: Option<Ident>,
    /// The sizes.
    pub dims: Vec<Dim>,
    /// The whole type.
    pub span: Span,
}

/// One size of a shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Dim {
    /// `784`
    Size(u64, Span),
    /// `N`, or the name of a const
    Name(Ident),
    /// `H * 2`
    Mul(Box<Dim>, Box<Dim>),
    /// `H + 1`
    Add(Box<Dim>, Box<Dim>),
}

/// `in 0..10` or `in ["cat", "dog"]`
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// The integers from the first up to, but not including, the second.
    Range(i64, i64, Span),
    /// Class names; the class index is the position in the list.
    Names(Vec<(String, Span)>, Span),
}

/// The `train` section.
#[derive(Clone, Debug, PartialEq)]
pub struct Train {
    /// Its entries in order.
    pub body: Vec<Spanned<TrainItem>>,
    /// From `train` to `}`.
    pub span: Span,
}

/// One entry of the `train` section.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainItem {
    /// `target t: i32[N] in 0..10`
    Target(Port),
    /// `metric accuracy(y, t)`
    Metric(Call),
    /// `optimizer = adam()` or `optimizer(h, y) = sgd(lr: 0.1)`
    Optimizer {
        /// The parameters or layers it is for; empty means all the others.
        params: Vec<Ident>,
        /// The optimizer.
        value: Expr,
        /// The whole entry.
        span: Span,
    },
    /// `batch = 32`, `loss = mse(y, t)`, `valid = 0.2, by: class`, ...
    Set(Bind, Vec<Arg>),
    /// `l2(h.w, y) = 1e-3`
    Of {
        /// The parameters or layers that are set something.
        params: Vec<Ident>,
        /// What it is, and its value.
        bind: Bind,
    },
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `0.5`
    Number(f64),
    /// `"setosa"`
    String(String),
    /// `h`
    Name(String),
    /// `[1, 2]`
    List(Vec<Expr>),
    /// `dense(3)`
    Call(Call),
    /// `x |> f` and `x |> f(3)`: the left side becomes the first argument of the call.
    Pipe(Box<Expr>, Call),
    /// `-a`
    Neg(Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `layer.w`
    Field(Box<Expr>, Ident),
}

/// The infix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `@`, the matrix product
    MatMul,
}

/// `f(a, name: b)`; a pipe into a bare name is a call without arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub function: Ident,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// From the name to `)`.
    pub span: Span,
}

/// One argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The name before the colon.
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
}

impl Arg {
    /// Where it stands, its name included.
    pub fn span(&self) -> Span {
        let name = self.name.as_ref().map(|name| name.span);
        name.map_or(self.value.span, |name| name.join(self.value.span))
    }
}

impl Dim {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Dim::Size(_, span) => *span,
            Dim::Name(name) => name.span,
            // A chain leans to the left; its limited length bounds this recursion.
            Dim::Mul(left, right) | Dim::Add(left, right) => left.span().join(right.span()),
        }
    }
}

impl Domain {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Domain::Range(_, _, span) | Domain::Names(_, span) => *span,
        }
    }
}
