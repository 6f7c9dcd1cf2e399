package attack_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// workerVar names what this binary is to do instead of running tests, as a
// process of its own on the vault of a world.
const workerVar = "ATTACK_TEST_WORKER"

// A process is a worker from the inside.
type process struct {
	broker *broker.Broker
	vault  *vault.Local
	store  store // between the two
	dialed atomic.Int64
	out    io.Writer
	args   []string
}

// A store is a vault in which a worker can put a fault.
type store struct {
	vault.Store
	endRenewal func() // is called before one ends
}

func (s *store) EndRenewal(ctx context.Context, intent uint64, use vault.Use, end vault.RenewalEnd) error {
	if s.endRenewal != nil {
		s.endRenewal()
	}
	return s.Store.EndRenewal(ctx, intent, use, end)
}

// workers are what a process can be.
func workers() map[string]func(*process) error {
	return map[string]func(*process) error{
		"calls":  workCalls,
		"killed": workKilled,
		"full":   workFull,
	}
}

// asWorker runs a worker on what the arguments say: the directory of the vault,
// the address of the upstream and a file with its authority, and what is the
// worker's own.
func asWorker(work func(*process) error) (status int) {
	dir, address, authority := os.Args[1], os.Args[2], os.Args[3]
	roots, err := os.ReadFile(authority)
	if err == nil {
		p := &process{vault: vault.New(vaultOptions(dir)), out: os.Stdout, args: os.Args[4:]}
		p.store.Store = p.vault
		p.broker = broker.New(broker.Config{
			Store: &p.store, Registry: registry.Builtin(), Version: "test", Roots: roots,
			Resolve: func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{stage.PublicAddr()}, nil },
			Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				p.dialed.Add(1)
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		})
		err = work(p)
		p.vault.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// workCalls makes a number of calls at once, and prints for each the status of
// the answer, or the code of the error.
func workCalls(p *process) error {
	n, err := strconv.Atoi(p.args[0])
	if err != nil {
		return err
	}
	results := make([]string, n)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = p.call() })
	}
	wg.Wait()
	_, err = fmt.Fprintln(p.out, strings.Join(results, "\n"))
	return err
}

// call makes the base call.
func (p *process) call() string {
	answer, err := p.broker.Invoke(context.Background(), get(prefix))
	if err != nil {
		return string(fault.CodeOf(err))
	}
	return strconv.Itoa(answer.Status)
}

// worker is this binary as a process that works on the vault of the world.
func (w *world) worker(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, authority := w.authority(t)
	cmd := exec.Command(exe, append([]string{w.dir, w.up.Addr(), authority}, args...)...)
	cmd.Env = append(os.Environ(), workerVar+"="+what)
	return cmd
}

// processes runs a number of workers at once, and counts the lines that they
// print. No secret of the world may be among them.
func (w *world) processes(t *testing.T, n int, what string, args ...string) map[string]int {
	t.Helper()
	cmds, outs := make([]*exec.Cmd, n), make([]bytes.Buffer, n)
	for i := range n {
		cmds[i] = w.worker(t, what, args...)
		cmds[i].Stdout, cmds[i].Stderr = &outs[i], &outs[i]
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	lines := map[string]int{}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, outs[i].String())
		}
		brokertest.Scan(t, "the output of a process", outs[i].Bytes(), w.hidden()...)
		for line := range strings.Lines(outs[i].String()) {
			lines[strings.TrimSpace(line)]++
		}
	}
	return lines
}
