// Probe tells what the environment made of this program: which variables are
// left, and whether the file of SSL_CERT_FILE is trusted. Without an argument,
// it crashes. Built with the tag unguarded, it is a program like any other.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"runtime/debug"
)

func main() {
	if len(os.Args) == 1 {
		debug.SetTraceback("crash")
		panic("as asked: of what is in memory, a core file would tell")
	}
	for _, name := range []string{"GODEBUG", "GOTRACEBACK", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "SSLKEYLOGFILE"} {
		if _, ok := os.LookupEnv(name); ok {
			fmt.Println("has", name)
		}
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		panic(err)
	}
	if _, err := cert.Verify(x509.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err == nil {
		fmt.Println("trusts the file")
	}
	fmt.Println("arguments", os.Args[1:])
}
