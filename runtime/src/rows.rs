//! Rows of an application's own: slices, arrays and vectors as the values of a net's inputs,
//! targets and outputs, none of them copied.

/// The values of one input or target, row after row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slice<'a> {
    /// Real numbers.
    F32(&'a [f32]),
    /// Integers: the numbers of the port's range, and of names the positions.
    I32(&'a [i32]),
}

/// Values of one input or target: a slice, array or vector of numbers, or of rows that are arrays;
/// or a single number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no values of an input or a target",
    note = "they are `f32` or `i32`: write `x as f32` for other numbers",
    note = "a word is its position in the list of the net, what is missing `f32::NAN` or `MISSING`"
)]
pub trait AsSlice {
    /// All values, row after row.
    fn as_values(&self) -> Slice<'_>;
}

/// Values of all inputs, or of all targets. Of one, they are what [`AsSlice`] says; of several, a
/// tuple of up to six such, or a list of [`Slice`]s, in the order of the net's text.
///
/// ```
/// use arenet_runtime::rows::{Rows, Slice};
///
/// let (pixels, labels) = (vec![[0.0, 0.5], [1.0, 0.5]], [3, 7]);
/// assert_eq!(pixels.slice(0), Slice::F32(&[0.0, 0.5, 1.0, 0.5]));
/// assert_eq!((pixels, &labels).slice(1), Slice::I32(&labels));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no values of all inputs or targets",
    note = "of one input they are `f32` or `i32`: a number, slices, arrays or vectors of them, or \
            of rows that are arrays; of several, a tuple of such",
    note = "a word is its position in the list of the net, what is missing `f32::NAN` or `MISSING`"
)]
pub trait Rows {
    /// The number of ports that there are values for.
    fn ports(&self) -> usize;
    /// The values of a port, of which there are so many.
    fn slice(&self, port: usize) -> Slice<'_>;
}

/// Room for one output.
pub trait AsSliceMut {
    /// All of it, row after row.
    fn as_floats_mut(&mut self) -> &mut [f32];
}

/// Room for all outputs, as [`Rows`] are values of all inputs; several are a tuple or a list of
/// slices.
pub trait RowsMut {
    /// The number of outputs that there is room for.
    fn outputs(&self) -> usize;
    /// The room of an output, of which there are so many.
    fn slice_mut(&mut self, output: usize) -> &mut [f32];
}

impl<'a> From<&'a [f32]> for Slice<'a> {
    fn from(values: &'a [f32]) -> Slice<'a> {
        Slice::F32(values)
    }
}

impl<'a> From<&'a [i32]> for Slice<'a> {
    fn from(values: &'a [i32]) -> Slice<'a> {
        Slice::I32(values)
    }
}

impl Slice<'_> {
    /// The number of values.
    pub fn len(self) -> usize {
        match self {
            Slice::F32(values) => values.len(),
            Slice::I32(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The containers of values of one type.
macro_rules! containers {
    ($($value:ty)*) => {$(
        impl AsSlice for $value {
            fn as_values(&self) -> Slice<'_> {
                std::slice::from_ref(self).into()
            }
        }

        impl AsSlice for [$value] {
            fn as_values(&self) -> Slice<'_> {
                self.into()
            }
        }

        impl<const W: usize> AsSlice for [[$value; W]] {
            fn as_values(&self) -> Slice<'_> {
                self.as_flattened().into()
            }
        }
    )*};
}

containers!(f32 i32);

impl<T, const N: usize> AsSlice for [T; N]
where
    [T]: AsSlice,
{
    fn as_values(&self) -> Slice<'_> {
        self.as_slice().as_values()
    }
}

impl<T> AsSlice for Vec<T>
where
    [T]: AsSlice,
{
    fn as_values(&self) -> Slice<'_> {
        self.as_slice().as_values()
    }
}

impl<T: AsSlice + ?Sized> AsSlice for &T {
    fn as_values(&self) -> Slice<'_> {
        (**self).as_values()
    }
}

impl<T: AsSlice + ?Sized> Rows for T {
    fn ports(&self) -> usize {
        1
    }

    #[inline]
    fn slice(&self, _: usize) -> Slice<'_> {
        self.as_values()
    }
}

impl Rows for [Slice<'_>] {
    fn ports(&self) -> usize {
        self.len()
    }

    fn slice(&self, port: usize) -> Slice<'_> {
        self[port]
    }
}

impl<const P: usize> Rows for [Slice<'_>; P] {
    fn ports(&self) -> usize {
        P
    }

    fn slice(&self, port: usize) -> Slice<'_> {
        self[port]
    }
}

/// Tuples of containers, one for each port.
macro_rules! tuples {
    ($(($($part:ident $index:tt),*))*) => {
        $(
            impl<$($part: AsSlice),*> Rows for ($($part),*) {
                fn ports(&self) -> usize {
                    [$($index),*].len()
                }

                fn slice(&self, port: usize) -> Slice<'_> {
                    [$(self.$index.as_values()),*][port]
                }
            }

            impl<$($part: AsSliceMut),*> RowsMut for ($($part),*) {
                fn outputs(&self) -> usize {
                    [$($index),*].len()
                }

                fn slice_mut(&mut self, output: usize) -> &mut [f32] {
                    let slices: [&mut [f32]; _] = [$(self.$index.as_floats_mut()),*];
                    slices.into_iter().nth(output).expect("there are as many as `outputs` says")
                }
            }
        )*
    };
}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}

impl AsSliceMut for [f32] {
    fn as_floats_mut(&mut self) -> &mut [f32] {
        self
    }
}

impl<const W: usize> AsSliceMut for [[f32; W]] {
    fn as_floats_mut(&mut self) -> &mut [f32] {
        self.as_flattened_mut()
    }
}

impl<T, const N: usize> AsSliceMut for [T; N]
where
    [T]: AsSliceMut,
{
    fn as_floats_mut(&mut self) -> &mut [f32] {
        self.as_mut_slice().as_floats_mut()
    }
}

impl<T> AsSliceMut for Vec<T>
where
    [T]: AsSliceMut,
{
    fn as_floats_mut(&mut self) -> &mut [f32] {
        self.as_mut_slice().as_floats_mut()
    }
}

impl<T: AsSliceMut + ?Sized> AsSliceMut for &mut T {
    fn as_floats_mut(&mut self) -> &mut [f32] {
        (**self).as_floats_mut()
    }
}

impl<T: AsSliceMut + ?Sized> RowsMut for T {
    fn outputs(&self) -> usize {
        1
    }

    #[inline]
    fn slice_mut(&mut self, _: usize) -> &mut [f32] {
        self.as_floats_mut()
    }
}

impl RowsMut for [&mut [f32]] {
    fn outputs(&self) -> usize {
        self.len()
    }

    fn slice_mut(&mut self, output: usize) -> &mut [f32] {
        self[output]
    }
}

impl<const P: usize> RowsMut for [&mut [f32]; P] {
    fn outputs(&self) -> usize {
        P
    }

    fn slice_mut(&mut self, output: usize) -> &mut [f32] {
        self[output]
    }
}
