//! Where networks compute, by name. What a name stands for is opened in one place,
//! [`Backend::on`](crate::engine::layers::Backend::on).

use std::fmt;
use std::str::FromStr;

/// Where networks compute. It decides bits, not what a picture is: it is no part of a recipe or an id, and stands in what
/// is said of who drew a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DeviceName {
    /// The processor, by kernels of our own.
    #[default]
    Cpu,
    /// A GPU by CUDA; the first is 0.
    Cuda(usize),
    /// The GPU by Metal.
    Metal,
    /// The processor by the operations that a GPU is given: slow, to compare with.
    Plain,
}

/// GPUs that one machine is thought to have at most.
const MOST_GPUS: usize = 64;

impl DeviceName {
    /// The choices of this build, as the table of settings shows them.
    pub const CHOICES: &'static str = match (cfg!(feature = "cuda"), cfg!(feature = "metal")) {
        (false, false) => "cpu or plain",
        (true, false) => "cpu, cuda or plain",
        (false, true) => "cpu, metal or plain",
        (true, true) => "cpu, cuda, metal or plain",
    };

    /// The feature that a build needs to have it, if it needs one.
    #[must_use]
    pub fn feature(self) -> Option<&'static str> {
        match self {
            Self::Cpu | Self::Plain => None,
            Self::Cuda(_) => Some("cuda"),
            Self::Metal => Some("metal"),
        }
    }

    /// Itself, if this build has it.
    ///
    /// # Errors
    /// Fails if it was built without; the hint says how to build with it.
    pub fn in_this_build(self) -> Result<Self, DeviceError> {
        let has = match self {
            Self::Cpu | Self::Plain => true,
            Self::Cuda(_) => cfg!(feature = "cuda"),
            Self::Metal => cfg!(feature = "metal"),
        };
        match self.feature().filter(|_| !has) {
            None => Ok(self),
            Some(feature) => Err(DeviceError {
                name: self.to_string(),
                what: "is not in this build".to_owned(),
                hint: format!("cargo build --release --features {feature}"),
            }),
        }
    }

    /// The error of a device that this build has and this machine does not give.
    #[must_use]
    pub fn refused(self, why: &dyn fmt::Display) -> DeviceError {
        DeviceError {
            name: self.to_string(),
            what: format!("does not answer: {why}"),
            hint: "--device cpu computes on the processor".to_owned(),
        }
    }

    /// Whether it computes by the processor's own kernels, which have an arithmetic of their own beside f32.
    #[must_use]
    pub fn has_kernels(self) -> bool {
        self == Self::Cpu
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(0) => f.write_str("cuda"),
            Self::Cuda(n) => write!(f, "cuda:{n}"),
            Self::Metal => f.write_str("metal"),
            Self::Plain => f.write_str("plain"),
        }
    }
}

impl FromStr for DeviceName {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let low = name.trim().to_lowercase();
        let (kind, number) = low.split_once(':').map_or((low.as_str(), None), |(kind, number)| (kind, Some(number)));
        let found = match (kind, number) {
            ("cpu", None) => Some(Self::Cpu),
            ("plain", None) => Some(Self::Plain),
            ("metal", None) => Some(Self::Metal),
            ("cuda", None) => Some(Self::Cuda(0)),
            ("cuda", Some(n)) => n.parse().ok().filter(|n| *n < MOST_GPUS).map(Self::Cuda),
            _ => None,
        };
        found.ok_or_else(|| DeviceError {
            name: name.to_owned(),
            what: "is no device".to_owned(),
            hint: "cpu, cuda, cuda:1 for the second GPU, metal or plain".to_owned(),
        })
    }
}

/// A device that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceError {
    name: String,
    what: String,
    hint: String,
}

impl DeviceError {
    /// What is the case, to be said after the device's name: `is no device`.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// One thing to try.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the device `{}` {}", self.name, self.what)
    }
}

impl std::error::Error for DeviceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_read_as_it_is_written_and_the_first_gpu_needs_no_number() {
        for name in ["cpu", "cuda", "cuda:1", "cuda:63", "metal", "plain"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert_eq!("cuda:0".parse(), Ok(DeviceName::Cuda(0)));
        assert_eq!(" CUDA:2 ".parse(), Ok(DeviceName::Cuda(2)));
    }

    #[test]
    fn what_is_no_device_is_told_with_those_there_are() {
        for name in ["gpu", "", "cuda:", "cuda:-1", "cuda:64", "cuda:x", "cpu:0", "metal:1", "cuda 1"] {
            let error = name.parse::<DeviceName>().unwrap_err();
            assert_eq!(error.to_string(), format!("the device `{name}` is no device"));
            assert!(error.hint().contains("cuda:1") && error.hint().contains("metal"), "{}", error.hint());
        }
    }

    #[test]
    fn what_this_build_does_not_have_is_told_with_how_to_build_it() {
        for (device, has, feature) in [
            (DeviceName::Cuda(1), cfg!(feature = "cuda"), "cuda"),
            (DeviceName::Metal, cfg!(feature = "metal"), "metal"),
        ] {
            let Err(error) = device.in_this_build() else {
                assert!(has, "{device} is in no build without its feature");
                continue;
            };
            assert!(!has, "{error}");
            assert_eq!(error.to_string(), format!("the device `{device}` is not in this build"));
            assert_eq!(error.hint(), format!("cargo build --release --features {feature}"));
        }
        for always in [DeviceName::Cpu, DeviceName::Plain] {
            assert_eq!(always.in_this_build(), Ok(always));
        }
    }

    #[test]
    fn the_choices_are_the_devices_of_this_build() {
        let all = [DeviceName::Cpu, DeviceName::Cuda(0), DeviceName::Metal, DeviceName::Plain];
        let names = all.into_iter().filter_map(|device| device.in_this_build().ok()).map(|device| device.to_string());
        let listed = DeviceName::CHOICES.replace(" or ", ", ");
        assert_eq!(listed.split(", ").collect::<Vec<_>>(), names.collect::<Vec<_>>());
    }
}
