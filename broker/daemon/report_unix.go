//go:build unix

package daemon

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"sync"
	"syscall"

	"aivault/keys/fault"
)

// A Report is how a daemon that [Start] started tells it whether it became
// ready. It tells once; what comes later is nobody's to hear.
type Report struct {
	once sync.Once
	pipe *os.File // nil: nobody asked
}

// reportFD is the file that Start gives a daemon for its report.
const reportFD = 3

// OpenReport opens the way to whoever started this process by [Start]. It must
// be called early, before the process opens a file of its own that is a pipe. In
// a process that was started otherwise it returns a Report that tells nobody.
func OpenReport() *Report {
	var st syscall.Stat_t
	if syscall.Fstat(reportFD, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return &Report{}
	}
	syscall.CloseOnExec(reportFD) // else a helper would keep Start waiting
	return &Report{pipe: os.NewFile(reportFD, "report")}
}

// Ready tells that clients can connect.
func (r *Report) Ready() { r.tell(readyLine) }

// Failed tells why this process will not serve.
func (r *Report) Failed(err error) {
	text, _ := json.Marshal(failure{fault.CodeOf(err), err.Error(), fault.HintOf(err)}) // strings only
	r.tell(string(text))
}

func (r *Report) tell(line string) {
	r.once.Do(func() {
		if r.pipe == nil {
			return
		}
		_, _ = io.WriteString(r.pipe, line+"\n") // who asked may have left
		_ = r.pipe.Close()
	})
}

const readyLine = "ready"

type failure struct {
	Code fault.Code `json:"code"`
	Msg  string     `json:"msg"`
	Hint string     `json:"hint"`
}

// maxReport is how much of a report is read, in bytes.
const maxReport = 64 << 10

// readReport returns nil when the daemon on the other end of r became ready, or
// what it says instead.
func readReport(r io.Reader) error {
	line, err := bufio.NewReader(io.LimitReader(r, maxReport)).ReadString('\n')
	if line == readyLine+"\n" {
		return nil
	}
	var f failure
	if err != nil || json.Unmarshal([]byte(line), &f) != nil || f.Msg == "" {
		return fault.New(fault.Internal, "the daemon ended before it was ready").
			WithHint("aivault daemon shows what happens")
	}
	return &fault.Error{Code: f.Code, Msg: f.Msg, Hint: f.Hint}
}
