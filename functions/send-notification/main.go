// Command send-notification consumes an order's outcome, its cancellation and its refunds: it sends
// the customer a mail.
package main

import (
	"backroom/functions/send-notification/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.SendNotification, wire.New) }
