package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"backroom/shared/saga"
)

// orderShow is the verb order show.
func (c *console) orderShow() *cobra.Command {
	verb := &cobra.Command{
		Use:   "show ID",
		Short: "Show what happened to an order",
		Long: "show prints what happened to an order, in the order of cause, and its status: what it awaits, the\n" +
			"desired and observed state of stock and payment, its refunds and its mails. It prints no address.",
		Example: "  backroom order show ord_1 --stack backroom-prod",
		Args:    one("ID, the id of an order, which GET /orders lists"),
	}
	shop := ofShop(verb)
	verb.RunE = c.begin(func(ctx context.Context, args []string) error {
		site, err := c.site(ctx, false)
		if err != nil {
			return err
		}
		s, err := site.Story(ctx, saga.Shop(*shop), args[0])
		if err != nil {
			return err
		}
		return s.Write(c, c.now(), time.Local, c)
	})
	return verb
}
