package secrets

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"backroom/localstack/cloudsim/wire"
)

const current, previous = "AWSCURRENT", "AWSPREVIOUS"

// secret is a secret of Secrets Manager. Its versions are in the order in which they were stored.
type secret struct {
	name, arn, description string
	made, changed          time.Time
	goneAt                 time.Time // zero: not scheduled for deletion
	versions               []version
}

// version is a current or earlier value of a secret.
type version struct {
	id     string
	text   *string
	binary []byte
	stages []string
	made   time.Time
}

func (v version) says(text *string, binary []byte) bool {
	return bytes.Equal(v.binary, binary) && (v.text == nil) == (text == nil) && (text == nil || *v.text == *text)
}

// errMarked refuses the use of a secret that is scheduled for deletion.
var errMarked = wire.Refuse("InvalidRequestException",
	"You can't perform this operation on the secret because it was marked for deletion.")

// secret returns the secret with a name or an ARN. The ARN may lack the six random characters at
// its end. A secret that is scheduled for deletion is found too.
func (s *Service) secret(id string) (*secret, error) {
	name := id
	if arn, ok := strings.CutPrefix(id, s.prefix()); ok {
		name = arn
		if at := len(arn) - len("-123456"); at > 0 && s.secrets[arn] == nil {
			name = arn[:at]
		}
	}
	found, ok := s.secrets[name]
	if ok && !found.goneAt.IsZero() && !s.settings.Now().Before(found.goneAt) {
		delete(s.secrets, name)
		ok = false
	}
	if !ok || name != id && id != found.arn && id != s.prefix()+name {
		return nil, wire.Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return found, nil
}

func (s *Service) prefix() string {
	return "arn:aws:secretsmanager:" + s.settings.Region + ":" + s.settings.Account + ":secret:"
}

type newSecret struct {
	Name, Description  string
	SecretString       *string
	SecretBinary       []byte
	ClientRequestToken string
}

// stored is the answer to storing a version.
type stored struct {
	ARN, Name     string
	VersionID     string   `json:"VersionId,omitempty"`
	VersionStages []string `json:",omitempty"`
}

func (s *Service) createSecret(in newSecret) (any, error) {
	if found, err := s.secret(in.Name); err == nil {
		switch {
		case !found.goneAt.IsZero():
			return nil,
				wire.Refuse("InvalidRequestException",
					"You can't create this secret because a secret with this name is already scheduled for deletion.")
		case found.repeats(in.ClientRequestToken, in.SecretString, in.SecretBinary):
			return stored{ARN: found.arn, Name: found.name, VersionID: in.ClientRequestToken}, nil
		}
		return nil,
			wire.Refuse("ResourceExistsException", "The operation failed because the secret "+in.Name+
				" already exists.")
	}
	s.made++
	now, end := s.settings.Now(), s.seed(s.made, "secret")
	made := &secret{name: in.Name, arn: s.prefix() + in.Name + "-" + strings.ToUpper(uuid(end)[:6]),
		description: in.Description, made: now, changed: now}
	s.secrets[in.Name] = made
	out := stored{ARN: made.arn, Name: made.name}
	if in.SecretString != nil || in.SecretBinary != nil {
		out.VersionID = made.store(s.token(in.ClientRequestToken, made), in.SecretString, in.SecretBinary, now)
	}
	return out, nil
}

// token returns the id of a secret's next version: the one in the request, or a new one.
func (s *Service) token(asked string, of *secret) string {
	return cmp.Or(asked, uuid(s.seed(len(of.versions), of.arn)))
}

// repeats reports whether a request with the same token already stored the same value.
func (x *secret) repeats(token string, text *string, binary []byte) bool {
	return slices.ContainsFunc(x.versions, func(v version) bool { return v.id == token && v.says(text, binary) })
}

// store makes a value AWSCURRENT, and the value that was current AWSPREVIOUS.
func (x *secret) store(id string, text *string, binary []byte, now time.Time) string {
	for i := range x.versions {
		v := &x.versions[i]
		if slices.Contains(v.stages, current) {
			v.stages = []string{previous}
		} else {
			v.stages = nil
		}
	}
	x.versions = append(x.versions, version{id, text, binary, []string{current}, now})
	x.changed = now
	return id
}

type whichSecret struct {
	SecretID     string `json:"SecretId"`
	VersionID    string `json:"VersionId"`
	VersionStage string
}

func (s *Service) getSecretValue(in whichSecret) (any, error) {
	found, err := s.secret(in.SecretID)
	switch {
	case err != nil:
		return nil, err
	case !found.goneAt.IsZero():
		return nil, errMarked
	}
	stage := in.VersionStage
	if in.VersionID == "" {
		stage = cmp.Or(stage, current)
	}
	for _, v := range found.versions {
		if (in.VersionID == "" || v.id == in.VersionID) && (stage == "" || slices.Contains(v.stages, stage)) {
			return struct {
				ARN, Name     string
				VersionID     string   `json:"VersionId"`
				SecretString  *string  `json:",omitempty"`
				SecretBinary  []byte   `json:",omitempty"`
				VersionStages []string `json:",omitempty"`
				CreatedDate   json.Number
			}{found.arn, found.name, v.id, v.text, v.binary, v.stages, seconds(v.made)}, nil
		}
	}
	if in.VersionID != "" {
		return nil,
			wire.Refuse("ResourceNotFoundException",
				"Secrets Manager can't find the specified secret value for VersionId: "+in.VersionID)
	}
	return nil,
		wire.Refuse("ResourceNotFoundException",
			"Secrets Manager can't find the specified secret value for staging label: "+stage)
}

type newValue struct {
	SecretID           string `json:"SecretId"`
	SecretString       *string
	SecretBinary       []byte
	ClientRequestToken string
	VersionStages      []string
}

func (s *Service) putSecretValue(in newValue) (any, error) {
	found, err := s.secret(in.SecretID)
	switch {
	case err != nil:
		return nil, err
	case !found.goneAt.IsZero():
		return nil, errMarked
	case (in.SecretString == nil) == (in.SecretBinary == nil):
		return nil, wire.Refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	case len(in.VersionStages) > 0 && !slices.Equal(in.VersionStages, []string{current}):
		return nil,
			wire.Refuse("InvalidParameterException", "cloudsim has only the staging labels "+current+" and "+previous+
				".")
	case found.repeats(in.ClientRequestToken, in.SecretString, in.SecretBinary):
		return stored{found.arn, found.name, in.ClientRequestToken, []string{current}}, nil
	case slices.ContainsFunc(found.versions, func(v version) bool { return v.id == in.ClientRequestToken }):
		return nil,
			wire.Refuse("ResourceExistsException",
				"A version with the same ID already exists and its value is another: "+
					strconv.Quote(in.ClientRequestToken))
	}
	id := found.store(s.token(in.ClientRequestToken, found), in.SecretString, in.SecretBinary, s.settings.Now())
	return stored{found.arn, found.name, id, []string{current}}, nil
}

func (s *Service) describeSecret(in whichSecret) (any, error) {
	found, err := s.secret(in.SecretID)
	if err != nil {
		return nil, err
	}
	stages := map[string][]string{}
	for _, v := range found.versions {
		if len(v.stages) > 0 {
			stages[v.id] = v.stages
		}
	}
	out := struct {
		ARN, Name          string
		Description        string `json:",omitempty"`
		CreatedDate        json.Number
		LastChangedDate    json.Number
		DeletedDate        json.Number         `json:",omitempty"`
		VersionIDsToStages map[string][]string `json:"VersionIdsToStages,omitempty"`
	}{ARN: found.arn, Name: found.name, Description: found.description, CreatedDate: seconds(found.made),
		LastChangedDate: seconds(found.changed), VersionIDsToStages: stages}
	if !found.goneAt.IsZero() {
		out.DeletedDate = seconds(found.goneAt)
	}
	return out, nil
}

type endOfSecret struct {
	SecretID                   string `json:"SecretId"`
	RecoveryWindowInDays       *int
	ForceDeleteWithoutRecovery bool
}

// deleteSecret deletes a secret at once, or after 7 to 30 days.
func (s *Service) deleteSecret(in endOfSecret) (any, error) {
	found, err := s.secret(in.SecretID)
	if err != nil {
		return nil, err
	}
	days := 30
	switch {
	case in.RecoveryWindowInDays != nil && in.ForceDeleteWithoutRecovery:
		return nil,
			wire.Refuse("InvalidParameterException",
				"You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case in.RecoveryWindowInDays != nil:
		days = *in.RecoveryWindowInDays
	}
	if days < 7 || days > 30 {
		return nil,
			wire.Refuse("InvalidParameterException",
				"The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	if !found.goneAt.IsZero() && !in.ForceDeleteWithoutRecovery {
		return nil, errMarked
	}
	found.goneAt = s.settings.Now().AddDate(0, 0, days)
	if in.ForceDeleteWithoutRecovery {
		found.goneAt = s.settings.Now()
		delete(s.secrets, found.name)
	}
	return struct {
		ARN, Name    string
		DeletionDate json.Number
	}{found.arn, found.name, seconds(found.goneAt)}, nil
}
