package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"time"
)

// An authority signs certificates, until it is forgotten.
type authority struct {
	cert *x509.Certificate
	pem  []byte
	key  *ecdsa.PrivateKey
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	cert := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "aivault test authority"},
		NotBefore:             now.Add(-72 * time.Hour),
		NotAfter:              now.Add(72 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &authority{cert, encode("CERTIFICATE", der), key}, nil
}

// newLeaf returns a certificate to be signed, valid for two days to either
// side.
func newLeaf(name string, usage x509.ExtKeyUsage) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-48 * time.Hour),
		NotAfter:     now.Add(48 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{usage},
	}
}

// newCertificate makes an authority and a certificate for the server.
func newCertificate(o Options) (caPEM []byte, cert tls.Certificate, err error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, cert, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, cert, err
	}
	leaf := newLeaf("aivault test upstream", x509.ExtKeyUsageServerAuth)
	if o.Expired {
		leaf.NotAfter = time.Now().Add(-24 * time.Hour)
	}
	for _, name := range o.Names {
		if ip := net.ParseIP(name); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, name)
		}
	}
	parent, signer := ca.cert, ca.key
	if o.SelfSigned {
		parent, signer = leaf, key
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, cert, err
	}
	return ca.pem, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// ClientCertificate makes an authority for [Options.ClientCA], and a
// certificate of it with its key, for a client of that common name. All are in
// PEM.
func ClientCertificate(name string) (caPEM, certPEM, keyPEM []byte, err error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, nil, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, newLeaf(name, x509.ExtKeyUsageClientAuth), ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return nil, nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, nil, err
	}
	return ca.pem, encode("CERTIFICATE", der), encode("PRIVATE KEY", keyDER), nil
}

// askClients has clients asked for certificates.
func askClients(config *tls.Config, o Options) error {
	if o.ClientCA == nil {
		if o.RequireClientCert {
			config.ClientAuth = tls.RequireAnyClientCert
		}
		return nil
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(o.ClientCA) {
		return errors.New("the authority of the clients is no certificate in PEM")
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven
	if o.RequireClientCert {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
