// Go's crypto/tls with its defaults, as a client: client ANCHORS.pem HOST; or as a server that wants a client certificate:
// client ANCHORS.pem CHAIN.pem KEY.pem
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	anchors := x509.NewCertPool()
	anchors.AppendCertsFromPEM(text)
	if len(os.Args) == 4 {
		serve(anchors)
	}
	connection, err := tls.Dial("tcp", os.Args[2]+":443", &tls.Config{RootCAs: anchors})
	if err != nil {
		fmt.Println("refused", err)
		return
	}
	connection.SetDeadline(time.Now().Add(8 * time.Second))
	connection.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	connection.Read(make([]byte, 4096))
	connection.Close()
	fmt.Println("accepted")
}

func serve(anchors *x509.CertPool) {
	chain, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
	if err != nil {
		panic(err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{chain}, ClientCAs: anchors, ClientAuth: tls.RequireAndVerifyClientCert,
	}
	listener, err := net.Listen("tcp", ":443")
	if err != nil {
		panic(err)
	}
	for {
		wire, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		connection := tls.Server(wire, config)
		if err := connection.Handshake(); err != nil {
			fmt.Println("refused", err)
		} else {
			connection.Read(make([]byte, 4096))
			connection.Write([]byte("HTTP/1.0 200 OK\r\n\r\nyes"))
		}
		connection.Close()
	}
}
