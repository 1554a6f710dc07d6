//! A client on rustls with its defaults: client ANCHORS.pem HOST

use rustls::pki_types::{pem::PemObject, CertificateDer, ServerName};
use std::io::{Read, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut roots = rustls::RootCertStore::empty();
    for anchor in CertificateDer::pem_file_iter(&arguments[1])? {
        roots.add(anchor?)?;
    }
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(arguments[2].clone())?;
    let mut connection = rustls::ClientConnection::new(std::sync::Arc::new(config), name)?;
    let mut wire = std::net::TcpStream::connect((arguments[2].as_str(), 443))?;
    let mut stream = rustls::Stream::new(&mut connection, &mut wire);
    match stream.write_all(b"GET / HTTP/1.0\r\n\r\n") {
        Ok(()) => {
            let _ = stream.read(&mut [0; 4096]);
            println!("accepted");
        }
        Err(error) => println!("refused {error}"),
    }
    Ok(())
}
