package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"backroom/shared/ops/remedy"
	"backroom/shared/saga"
)

// erase is the verb erase.
func (c *console) erase() *cobra.Command {
	verb := &cobra.Command{
		Use:   "erase CUSTOMER",
		Short: "Erase a customer's personal data",
		Long: "erase removes personal data from a customer's orders: the owner, the email, the token of the payment\n" +
			"method and people's reasons. It asks first, and it cannot be undone. Amounts and times stay. Orders\n" +
			"that are not settled are left and named.",
		Example: "  backroom erase customer-17 --dry-run --stack backroom-prod\n" +
			"  backroom erase customer-17 --shop main --stack backroom-prod",
		Args: one("CUSTOMER, the subject of the customer's tokens, which backroom order show prints"),
	}
	shop := ofShop(verb)
	dryRun := verb.Flags().Bool("dry-run", false, "count the orders and change none")
	sure := yes(verb)
	verb.RunE = c.begin(func(ctx context.Context, args []string) error {
		customer := args[0]
		site, err := c.site(ctx, !*dryRun)
		if err != nil {
			return err
		}
		did := "would be erased; nothing was changed"
		if !*dryRun {
			what := fmt.Sprintf("personal data in the orders of %s in the shop %s will be erased for good", customer,
				*shop)
			if err := c.agree(ctx, *sure, site.Stack, what); err != nil {
				return err
			}
			did = "erased"
		}
		done, err := site.Erase(ctx, saga.Shop(*shop), customer, *dryRun)
		if err != nil {
			return fmt.Errorf("%d orders %s, then: %w", len(done.Orders), did, err)
		}
		if len(done.Orders)+len(done.Open) == 0 {
			return remedy.For(
				fmt.Errorf("%q has no order in the shop %s, or is erased already; nothing was changed",
					customer, *shop),
				"check the spelling: backroom order show ID prints an order's customer; --shop names another shop")
		}
		c.Linef("%d orders of %s in the shop %s %s", len(done.Orders), customer, *shop, did)
		if len(done.Holding) > 0 {
			c.Linef(
				"%s these reservations keep the token of the payment method until their stock is sold or released: %s",
				c.Bad("but"), strings.Join(done.Holding, " "))
		}
		if len(done.Open) == 0 {
			return nil
		}
		left := fmt.Errorf("%d orders are not settled and were left: %s", len(done.Open), strings.Join(done.Open, " "))
		return remedy.For(left, "run this again when they are settled; POST /orders/{id}/cancellation ends one sooner")
	})
	return verb
}
