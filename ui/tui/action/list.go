package action

// The actions. Pages refer to them by these names.
const (
	Help       ID = "help"
	Palette    ID = "palette"
	Filter     ID = "filter"
	Tab1       ID = "tab.secrets"
	Tab2       ID = "tab.capabilities"
	Tab3       ID = "tab.credentials"
	Tab4       ID = "tab.audit"
	NextPane   ID = "pane.next"
	PrevPane   ID = "pane.previous"
	Zoom       ID = "pane.zoom"
	Back       ID = "back"
	Quit       ID = "quit"
	Leave      ID = "leave"
	Reload     ID = "reload"
	Lock       ID = "lock"
	Undo       ID = "undo"
	ShowLine   ID = "line"
	Suspend    ID = "suspend"
	Dismiss    ID = "dismiss"
	Mark       ID = "mark"
	MarkAll    ID = "mark.all"
	Open       ID = "open"
	NewSecret  ID = "secret.new"
	EditSecret ID = "secret.edit"
	Rotate     ID = "secret.rotate"
	DelSecret  ID = "secret.delete"
	AttachTo   ID = "secret.attach"
	Detach     ID = "secret.detach"
	OwnOnly    ID = "secret.own"
	RunTest    ID = "test"
	AskWhy     ID = "why"
	Log        ID = "log"

	NewCapability ID = "capability.new"
	DelCapability ID = "capability.delete"
	SetPolicy     ID = "capability.policy"
	Bind          ID = "capability.bind"
	Unbind        ID = "capability.unbind"

	NewCredential ID = "credential.new"
	DelCredential ID = "credential.delete"

	EnableCredential ID = "credential.enable"
	CapabilityOf     ID = "credential.capability"

	Follow       ID = "audit.follow"
	AuditFilter  ID = "audit.filter"
	VerifyChain  ID = "audit.verify"
	ToSecret     ID = "audit.secret"
	ToCapability ID = "audit.capability"

	Apply  ID = "apply"
	Cancel ID = "cancel"
	Next   ID = "form.next"
	Prev   ID = "form.previous"

	EditContext ID = "context"
	Send        ID = "test.send"
	DryRun      ID = "test.dry"
	Stop        ID = "test.stop"
	History     ID = "test.history"
	Search      ID = "answer.search"
	SearchNext  ID = "answer.next"
	SearchPrev  ID = "answer.previous"
	Raw         ID = "answer.raw"
	ToAudit     ID = "answer.audit"
	Retry       ID = "retry"
	Create      ID = "vault.create"

	Check          ID = "attach.check"
	Share          ID = "attach.apply"
	PickCapability ID = "why.capability"
)

// all is the list, in the order of the help. It is not changed.
var all = []Spec{
	{ID: Help, Title: "Show what can be done here", Short: "help", Keys: []string{"?", "f1"}, Where: Everywhere},
	{ID: Palette, Title: "Find a command by its name", Short: "commands", Keys: []string{":", "ctrl+p"}, Where: Everywhere},
	{ID: Tab1, Title: "Go to the secrets", Short: "secrets", Keys: []string{"1"}, Where: Everywhere},
	{ID: Tab2, Title: "Go to the capabilities", Short: "capabilities", Keys: []string{"2"}, Where: Everywhere},
	{ID: Tab3, Title: "Go to the credentials", Short: "credentials", Keys: []string{"3"}, Where: Everywhere},
	{ID: Tab4, Title: "Go to the audit log", Short: "audit", Keys: []string{"4"}, Where: Everywhere},
	{ID: Undo, Title: "Take the last change back", Short: "undo", Keys: []string{"z"}, Where: Everywhere},
	{ID: ShowLine, Title: "Show the command line of the last action", Short: "command line", Keys: []string{"@"}, Where: Everywhere},
	{ID: Reload, Title: "Read everything again", Short: "reload", Keys: []string{"R"}, Where: Everywhere},
	{ID: Lock, Title: "Lock the vault: forget its key", Short: "lock", Keys: []string{"L"}, Where: Everywhere},
	{ID: Dismiss, Title: "Dismiss the message", Short: "dismiss", Keys: []string{"backspace"}, Where: Everywhere},
	{ID: Back, Title: "Go back", Short: "back", Keys: []string{"esc"}, Where: Everywhere},
	{ID: Suspend, Title: "Suspend the program", Short: "suspend", Keys: []string{"ctrl+z"}, Where: Everywhere},
	{ID: Quit, Title: "Quit", Short: "quit", Keys: []string{"q"}, Where: Everywhere},
	{ID: Leave, Title: "Leave at once", Short: "leave", Keys: []string{"ctrl+c"}, Where: Everywhere},

	{ID: Filter, Title: "Filter the list", Short: "filter", Keys: []string{"/"}, Where: Browse},
	{ID: NextPane, Title: "Go to the next pane", Short: "panes", Keys: []string{"tab"}, Where: Browse},
	{ID: PrevPane, Title: "Go to the previous pane", Short: "panes", Keys: []string{"shift+tab"}, Where: Browse},
	{ID: Zoom, Title: "Zoom: give the pane the whole screen", Short: "zoom", Keys: []string{"+"}, Where: Browse},
	{ID: Mark, Title: "Mark the row, for an action on many", Short: "mark", Keys: []string{" "}, Where: Browse},
	{ID: MarkAll, Title: "Mark all rows, or none", Short: "mark all", Keys: []string{"*"}, Where: Browse},
	{ID: Open, Title: "Open the detail", Short: "open", Keys: []string{"enter"}, Where: Browse},

	{ID: NewSecret, Title: "Store a new secret", Short: "new", Keys: []string{"n"}, Where: Secrets},
	{ID: Rotate, Title: "Rotate the secret: give it a new value", Short: "rotate", Keys: []string{"r"}, Where: Secrets},
	{ID: EditSecret, Title: "Edit name and aliases", Short: "edit", Keys: []string{"e"}, Where: Secrets},
	{ID: AttachTo, Title: "Attach: share secrets with groups", Short: "attach", Keys: []string{"a"}, Where: Secrets},
	{ID: Detach, Title: "Detach from this group", Short: "detach", Keys: []string{"x"}, Where: Secrets},
	{ID: OwnOnly, Title: "Show the scope's own, or all that is effective", Short: "own", Keys: []string{"o"}, Where: Secrets},
	{ID: DelSecret, Title: "Delete the secret", Short: "delete", Keys: []string{"D"}, Where: Secrets, Danger: true},

	{ID: RunTest, Title: "Make a test call", Short: "test", Keys: []string{"t"}, Where: Browse},
	{ID: AskWhy, Title: "Explain which secret is used, and why", Short: "why", Keys: []string{"w"}, Where: Browse},
	{ID: Log, Title: "Show its events in the audit log", Short: "log", Keys: []string{"i"}, Where: Browse},

	{ID: NewCapability, Title: "Make a custom capability", Short: "new", Keys: []string{"n"}, Where: Capabilities},
	{ID: Bind, Title: "Bind a secret to the capability", Short: "bind", Keys: []string{"b"}, Where: Capabilities},
	{ID: Unbind, Title: "Take a binding away", Short: "unbind", Keys: []string{"u"}, Where: Capabilities},
	{ID: SetPolicy, Title: "Limit the calls of the capability", Short: "policy", Keys: []string{"p"}, Where: Capabilities},
	{ID: DelCapability, Title: "Delete the custom capability", Short: "delete", Keys: []string{"D"}, Where: Capabilities, Danger: true},

	{ID: NewCredential, Title: "Make a credential", Short: "new", Keys: []string{"n"}, Where: Credentials},
	{ID: CapabilityOf, Title: "Make a custom capability of the credential", Short: "capability", Keys: []string{"c"}, Where: Credentials},
	{ID: EnableCredential, Title: "Bring a disabled credential back", Short: "bring back", Keys: []string{"e"}, Where: Credentials},
	{ID: DelCredential, Title: "Delete the credential", Short: "delete", Keys: []string{"D"}, Where: Credentials, Danger: true},

	{ID: Follow, Title: "Follow new events as they come, or stop that", Short: "follow", Keys: []string{"f"}, Where: Audit},
	{ID: AuditFilter, Title: "Choose which events are shown", Short: "choose", Keys: []string{"e"}, Where: Audit},
	{ID: VerifyChain, Title: "Verify the whole chain", Short: "verify", Keys: []string{"v"}, Where: Audit},
	{ID: ToSecret, Title: "Go to the secret of the event", Short: "secret", Keys: []string{"s"}, Where: Audit},
	{ID: ToCapability, Title: "Go to the capability of the event", Short: "capability", Keys: []string{"c"}, Where: Audit},

	{ID: Apply, Title: "Save", Short: "save", Keys: []string{"ctrl+s"}, Where: Form},
	{ID: Cancel, Title: "Cancel", Short: "cancel", Keys: []string{"esc"}, Where: Form},
	{ID: Next, Title: "Go to the next field", Short: "next", Keys: []string{"tab"}, Where: Form},
	{ID: Prev, Title: "Go to the previous field", Short: "previous", Keys: []string{"shift+tab"}, Where: Form},

	{ID: Check, Title: "Attach it, or detach it", Short: "check", Keys: []string{" "}, Where: Attach},
	{ID: Share, Title: "Apply the changes", Short: "apply", Keys: []string{"enter", "ctrl+s"}, Where: Attach},

	{ID: EditContext, Title: "Change the context", Short: "context", Keys: []string{"c"}, Where: Why},
	{ID: PickCapability, Title: "Explain another capability", Short: "capability", Keys: []string{"p"}, Where: Why},

	{ID: Send, Title: "Send the request", Short: "send", Keys: []string{"ctrl+s"}, Where: Test},
	{ID: DryRun, Title: "Dry run: show the request, send nothing", Short: "dry run", Keys: []string{"ctrl+d"}, Where: Test},
	{ID: Stop, Title: "Stop the call", Short: "stop", Keys: []string{"esc"}, Where: Test},
	{ID: History, Title: "Show the last calls of this run", Short: "history", Keys: []string{"ctrl+r"}, Where: Test},

	{ID: Search, Title: "Search in the answer", Short: "search", Keys: []string{"/"}, Where: Answer},
	{ID: SearchNext, Title: "Go to the next match", Short: "next", Keys: []string{"n"}, Where: Answer},
	{ID: SearchPrev, Title: "Go to the previous match", Short: "previous", Keys: []string{"N"}, Where: Answer},
	{ID: Raw, Title: "Show the answer as it came, or pretty", Short: "raw", Keys: []string{"p"}, Where: Answer},
	{ID: ToAudit, Title: "Show the call in the audit log", Short: "log", Keys: []string{"i"}, Where: Answer},

	{ID: Retry, Title: "Try again", Short: "try again", Keys: []string{"r"}, Where: Gate},
	{ID: Create, Title: "Make a new vault", Short: "make a vault", Keys: []string{"n"}, Where: Gate},
}
