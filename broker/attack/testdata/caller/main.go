// Caller makes one call of api/files through a broker of its own, on the vault
// of a directory, and prints the answer or the code of the error. Every host
// leads to one address. Built with the tag unguarded, it does not clean its
// environment first, as aivault does.
//
//	caller VAULT ADDRESS [AUTHORITY]
package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

func main() {
	dir, address := os.Args[1], os.Args[2]
	store := vault.New(vault.Options{Root: dir, Claims: registry.Builtin()})
	config := broker.Config{
		Store: store, Registry: registry.Builtin(), Version: "test",
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.AddrFrom4([4]byte{93, 184, 216, 34})}, nil
		},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	if len(os.Args) > 3 { // else the authorities of the system
		var err error
		if config.Roots, err = os.ReadFile(os.Args[3]); err != nil {
			panic(err)
		}
	}
	answer, err := broker.New(config).Invoke(context.Background(), broker.Call{Capability: "api/files", Method: "GET"})
	store.Close()
	if err != nil {
		fmt.Println(fault.CodeOf(err))
		return
	}
	fmt.Println(answer.Status)
}
