package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"backroom/localstack/deploy"
	"backroom/shared/ops/remedy"
)

// remove is `make delete STACK=…`: it deletes a stack that is not prod's, and then the tables that outlive it. Where the stack is gone
// already, it deletes the tables that it left behind.
func remove(ctx context.Context, d desk, _ []string) error {
	name := os.Getenv("STACK")
	if name == "" {
		return remedy.For(errors.New("which stack?"), "make delete STACK=backroom-dev; make reset forgets what make run stored")
	}
	endpoint := strings.TrimRight(os.Getenv("AWS_ENDPOINT_URL"), "/")
	stack, err := deploy.Describe(ctx, endpoint, name)
	there := !errors.Is(err, deploy.ErrNoStack)
	if err != nil && there {
		return err
	}
	text, err := os.ReadFile(filepath.Join(d.repo, "template.yaml"))
	if err != nil {
		return err
	}
	tables, err := deploy.Tables(text)
	if err != nil {
		return err
	}
	if there {
		if err := deletable(stack); err != nil {
			return err
		}
		d.Linef("%s is of the stage %s. It will be deleted, then its tables, with every order, product and key in them.", name, stack.Outputs["Stage"])
	} else {
		left, err := deploy.Leftovers(ctx, endpoint, name, tables)
		if err != nil || len(left) == 0 {
			return errors.Join(err, fmt.Errorf("there is no stack %s, and no table of it", name))
		}
		d.Linef("There is no stack %s any more. It left %d tables, which will be deleted:\n%s", name, len(left), strings.Join(left, "\n"))
	}
	if err := confirmed(name, os.Getenv("CONFIRM"), os.Stdin, d); err != nil {
		return err
	}
	if there {
		if err := d.Phase("stack", func() (string, error) { return name + " is gone", stack.Delete(ctx) }); err != nil {
			return err
		}
	}
	return d.Phase("tables", func() (string, error) {
		left, err := deploy.Leftovers(ctx, endpoint, name, tables)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d that outlived it are gone", len(left)), remedy.For(deploy.DeleteTables(ctx, endpoint, left), "one that is protected was prod's: docs/operations.md#deploy, Deleting. Otherwise make delete STACK="+name+" again; it finds what is left")
	})
}

// deletable returns an error that says why a stack is not deleted by a command.
func deletable(stack deploy.Stack) error {
	const next = "by hand, if you are sure: docs/operations.md#deploy, Deleting"
	switch stack.Outputs["Stage"] {
	case "dev", "staging":
		return nil
	case "prod":
		return remedy.For(fmt.Errorf("%s is prod: no command deletes it", stack.Name), next)
	}
	return remedy.For(fmt.Errorf("%s does not say of which stage it is: it is none of ours, or older than this command", stack.Name), next)
}

// confirmed returns nil if somebody gave the stack's name: beforehand, or now when asked.
func confirmed(stack, beforehand string, asked io.Reader, d io.Writer) error {
	said := beforehand
	if said == "" {
		fmt.Fprintf(d, "Its name, to go on: ")
		line, err := bufio.NewReader(asked).ReadString('\n')
		if err != nil && line == "" {
			return remedy.For(errors.New("nobody confirmed it; nothing was deleted"), "make delete STACK="+stack+" CONFIRM="+stack)
		}
		said = strings.TrimSpace(line)
	}
	if said != stack {
		return fmt.Errorf("%q is not %q; nothing was deleted", said, stack)
	}
	return nil
}
