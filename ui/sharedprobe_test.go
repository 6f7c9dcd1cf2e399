package ui_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"syscall"
	"time"

	"aivault/broker"
	"aivault/broker/remote"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

// probed is what the probe prints.
type probed struct {
	Hello remote.Hello
	Codes map[string]fault.Code // of the error of each method
}

// probeDaemon is the program: it connects to a socket, and calls every method
// that a vault and a broker have, with arguments that are empty.
func probeDaemon() int {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := remote.Dial(ctx, remote.Options{Socket: os.Args[1], Version: app.Version(), OwnerUID: -1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	out := probed{Hello: c.Hello(), Codes: map[string]fault.Code{}}
	out.Codes["HandOver"] = fault.CodeOf(c.HandOver(ctx, vault.ID{}, nil, 0))
	out.Codes["Stop"] = fault.CodeOf(c.Stop(ctx))
	client := reflect.ValueOf(c)
	for _, iface := range []reflect.Type{reflect.TypeFor[vault.Vault](), reflect.TypeFor[broker.Service]()} {
		for i := range iface.NumMethod() {
			name := iface.Method(i).Name
			method := client.MethodByName(name)
			args := []reflect.Value{reflect.ValueOf(ctx)}
			for n := 1; n < method.Type().NumIn(); n++ {
				arg := reflect.Zero(method.Type().In(n))
				if arg.Type() == reflect.TypeFor[broker.Sink]() {
					arg = reflect.ValueOf(deaf{})
				}
				args = append(args, arg)
			}
			results := method.Call(args)
			err, _ := results[len(results)-1].Interface().(error)
			out.Codes[name] = fault.CodeOf(err)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		return 1
	}
	return 0
}

// deaf is a sink that takes nothing.
type deaf struct{}

func (deaf) Begin(*broker.Answer) error  { return syscall.EPIPE }
func (deaf) Write(p []byte) (int, error) { return 0, syscall.EPIPE }
