package setup

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"time"
)

// askWait is how long a directory service may take to tell of a user.
const askWait = 10 * time.Second

// elsewhere looks for a user, by name or number, in what a Linux system has
// beside its files, such as LDAP or systemd-homed: a program without cgo reads
// the files only. It returns absent if nobody knows the user.
func (h *Host) elsewhere(key string, absent error) (User, error) {
	if h.OS != "linux" {
		return User{}, absent
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWait)
	defer cancel()
	out, err := h.Run(ctx, Command{Argv: []string{"getent", "passwd", key}})
	if err != nil || out.Status != 0 {
		return User{}, absent
	}
	line, _, _ := strings.Cut(string(out.Stdout), "\n")
	fields := strings.Split(line, ":") // name, password, uid, gid, comment, home, shell
	if len(fields) != 7 || fields[0] != key && fields[2] != key {
		return User{}, errors.New("getent does not print what passwd(5) says")
	}
	if _, byName := absent.(user.UnknownUserError); byName && fields[0] != key { //nolint:errorlint // it was just made
		return User{}, absent // a name that is a number is no user's number
	}
	groups, err := h.Run(ctx, Command{Argv: []string{"id", "-G", fields[0]}})
	if err != nil || groups.Status != 0 {
		return User{}, fmt.Errorf("the groups of user %q are not known", fields[0])
	}
	return parseAccount(fields, strings.Fields(string(groups.Stdout)))
}

// parseAccount makes a User of the fields of a line of passwd(5), and the
// numbers of groups.
func parseAccount(fields, groups []string) (User, error) {
	uid, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil {
		return User{}, err
	}
	gid, err := strconv.ParseUint(fields[3], 10, 32)
	if err != nil {
		return User{}, err
	}
	u := User{Name: fields[0], UID: int(uid), GID: int(gid), Home: fields[5], Groups: []int{int(gid)}}
	for _, id := range groups {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return User{}, err
		}
		if n != gid {
			u.Groups = append(u.Groups, int(n))
		}
	}
	return u, nil
}
