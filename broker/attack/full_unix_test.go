package attack_test

func workFull(p *process) error { return nil }
