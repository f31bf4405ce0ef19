//! The codes of refused rows and of flags (SPEC §2.1). Their words stand in the catalogues.

use std::fmt;

macro_rules! codes {
    ($($code:ident),+ $(,)?) => {
        /// Why a row is refused (E) or should be looked at (W).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($code),+ }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$code),+];

            pub fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code)),+ }
            }
        }
    };
}

codes!(
    E101, E102, E103, E104, E105, E106, E201, E301, E302, E303, E304, E305, E306, E401, E402, E403, E405,
    E501, E502, E503, E504, E505, E506, E601, E602, E603, E604, E605, W701, W702, W703, W704, W705, W706,
    W707, W708, W710,
);

impl Code {
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name().eq_ignore_ascii_case(text))
    }

    pub fn is_flag(self) -> bool {
        self >= Code::W701
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
