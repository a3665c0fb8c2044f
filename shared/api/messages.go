package api

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// setMessages sets huma's messages about rules that the API's schemas use. Each says what the value must be.
func setMessages() {
	validation.MsgUnexpectedProperty = "unknown property"
	validation.MsgExpectedRequiredProperty = "must have the property %s"
	validation.MsgExpectedBoolean = "must be a boolean"
	validation.MsgExpectedNumber = "must be a number"
	validation.MsgExpectedInteger = "must be an integer"
	validation.MsgExpectedString = "must be a string"
	validation.MsgExpectedArray = "must be a list"
	validation.MsgExpectedObject = "must be an object"
	validation.MsgExpectedOneOf = "must be one of \"%s\""
	validation.MsgExpectedMinimumNumber = "must be ≥ %v"
	validation.MsgExpectedMaximumNumber = "must be ≤ %v"
	validation.MsgExpectedMinLength = "must have ≥ %d characters"
	validation.MsgExpectedMaxLength = "must have ≤ %d characters"
	validation.MsgExpectedMatchPattern = "must match %s"
	validation.MsgExpectedMinItems = "must have ≥ %d items"
	validation.MsgExpectedMaxItems = "must have ≤ %d items"
	validation.MsgExpectedMaxProperties = "must have ≤ %d properties"
	validation.MsgExpectedRFC3339Date = "must be a date, as in 2026-03-01"
	validation.MsgExpectedRFC5322Email = "must be an email address: %v"
}

// mustBe returns the message about a value of another type than the schema's.
func mustBe(schemaType string) string {
	switch schemaType {
	case huma.TypeBoolean:
		return validation.MsgExpectedBoolean
	case huma.TypeNumber:
		return validation.MsgExpectedNumber
	case huma.TypeInteger:
		return validation.MsgExpectedInteger
	case huma.TypeArray:
		return validation.MsgExpectedArray
	case huma.TypeObject:
		return validation.MsgExpectedObject
	}
	return validation.MsgExpectedString
}
