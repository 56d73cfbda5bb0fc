//! A network that leads nowhere: a namespace with nothing in it but loopback.
//!
//! A socket stays in the network namespace of the thread that made it, and a process is in that of the thread that started
//! it. So threads that have entered one, and whatever they start, can reach each other and nobody else: there is no route,
//! and no address that anybody outside has. What Postfix sends to any other address is refused by the kernel. Two of them
//! have the same addresses and ports, and never meet.

use std::{fs::File, io, os::fd::AsFd as _, sync::Arc};

use rustix::{
    net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType},
    thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space},
};

/// It is gone with the last thread, process and socket in it, and this.
#[derive(Clone, Debug)]
pub struct Network {
    namespace: Arc<File>,
}

impl Network {
    /// A new one, which nobody has entered yet.
    ///
    /// # Errors
    /// The kernel's: it takes CAP_SYS_ADMIN, and a kernel with network namespaces.
    pub fn new() -> io::Result<Network> {
        let made = in_passing(|| {
            #[expect(
                deprecated,
                reason = "what is unsafe about unshare(2) is another table of descriptors, which this flag does not ask for"
            )]
            rustix::thread::unshare(UnshareFlags::NEWNET)?;
            set_loopback_up()?;
            File::open("/proc/thread-self/ns/net")
        });
        let network = Network {
            namespace: Arc::new(made?),
        };
        // What works once works for every thread.
        let entered = network.clone();
        in_passing(move || entered.enter())?;
        Ok(network)
    }

    /// Takes the calling thread there for good.
    ///
    /// # Errors
    /// The kernel's.
    pub fn enter(&self) -> io::Result<()> {
        let network = Some(LinkNameSpaceType::Network);
        Ok(move_into_link_name_space(self.namespace.as_fd(), network)?)
    }
}

/// Does something on a thread that is not used for anything else.
fn in_passing<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let thread = std::thread::Builder::new().spawn(work)?;
    thread
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("a thread has panicked")))
}

/// Sets the first interface of a namespace up, which is its loopback interface (rtnetlink(7)).
fn set_loopback_up() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 1 | 4;
    const IFF_UP: u32 = 1;
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        // NETLINK_ROUTE is number 0, as no protocol is.
        None,
    )?;
    // struct nlmsghdr: length, type, flags, sequence number, sender.
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACK.to_ne_bytes());
    message.extend([1_u32, 0].map(u32::to_ne_bytes).concat());
    // struct ifinfomsg: family and type, index, flags, which of them change.
    message.extend([0_u32, 1, IFF_UP, IFF_UP].map(u32::to_ne_bytes).concat());
    rustix::net::send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0; 64];
    let (length, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty())?;
    // struct nlmsgerr after the header: 0, or an error number with its sign turned.
    match answer.get(16..20).filter(|_| length >= 20) {
        Some(&[a, b, c, d]) => match i32::from_ne_bytes([a, b, c, d]) {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(-number)),
        },
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    /// Takes root, as the chroot engine does.
    #[test]
    fn nothing_leaves_it() {
        if !rustix::process::geteuid().is_root() {
            assert!(Network::new().is_err());
            return;
        }
        let outside = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let outside = outside.local_addr().unwrap();
        let (one, two) = (Network::new().unwrap(), Network::new().unwrap());
        let at = (Ipv4Addr::new(127, 10, 0, 1), 10_000);
        let (enter_one, enter_two) = (one.clone(), two);
        let listener = in_passing(move || {
            enter_one.enter()?;
            TcpListener::bind(at)
        });
        // The same address again.
        let other = in_passing(move || {
            enter_two.enter()?;
            TcpListener::bind(at)
        });
        let (near, test_net, others) = in_passing(move || {
            one.enter()?;
            Ok((
                TcpStream::connect(at),
                // TEST-NET-1 (RFC 5737): where there is a route, one waits for an answer.
                TcpStream::connect((Ipv4Addr::new(192, 0, 2, 1), 25)),
                TcpStream::connect(outside),
            ))
        })
        .unwrap();
        let (_, peer) = listener.unwrap().accept().unwrap();
        assert_eq!(near.unwrap().local_addr().unwrap(), peer);
        assert_eq!(
            test_net.unwrap_err().kind(),
            io::ErrorKind::NetworkUnreachable
        );
        assert_eq!(others.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        drop(other.unwrap());
    }
}
