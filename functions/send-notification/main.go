// Command send-notification hears an order's outcome, its cancellation and its refunds: it tells the customer by mail.
package main

import (
	"backroom/functions/send-notification/wire"
	"backroom/shared/function"
	"backroom/shared/saga"
)

func main() { function.Consume(saga.SendNotification, wire.New) }
