// Writes oauth2-proxy-VERSION.jsonl: values that oauth2-proxy's own package of signing and encryption makes and reads.
//
//	GO111MODULE=off GOPATH=FOLDER go run tests/vectors/generate/from_oauth2_proxy.go -version 7.15.3
//
// FOLDER/src/github.com/oauth2-proxy/oauth2-proxy/v7/pkg/encryption holds utils.go and cipher.go of that tag; they need
// nothing but Go's library. Not among run.py's sources, which come from pip and npm. What oauth2-proxy serialises
// (MessagePack, LZ4) is not made here: the payload is any text, or bytes.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oauth2-proxy/oauth2-proxy/v7/pkg/encryption"
)

type vector struct {
	ID         string            `json:"id"`
	Framework  string            `json:"framework"`
	Config     map[string]any    `json:"config"`
	Cookie     string            `json:"cookie"`
	Key        string            `json:"key"`
	OtherKey   string            `json:"other_key"`
	Value      string            `json:"value"`
	OtherValue *string           `json:"other_value"`
	SignedAt   int64             `json:"signed_at"`
	Payload    *string           `json:"payload"`
	SameSalts  string            `json:"other_value_same_salts,omitempty"`
	Drawn      string            `json:"drawn,omitempty"`
	Tampered   []string          `json:"tampered"`
	Notes      map[string]string `json:"notes"`
}

var (
	out     = flag.String("out", "tests/vectors/frozen", "folder of the file")
	seed    = flag.String("seed", "1", "of the random parts")
	version = flag.String("version", "", "of oauth2-proxy")
)

var secrets = []string{"raw32", "base64", "unpadded", "letters", "raw16"}

func main() {
	flag.Parse()
	payloads := []string{"a session in MessagePack", strings.Repeat("item ", 120), "\x04\x22M\x18\x00\xff\xfe", "x"}
	var made bytes.Buffer
	lines := json.NewEncoder(&made)
	lines.SetEscapeHTML(false)
	for at, style := range secrets {
		check(lines.Encode(row("session-"+style, style, "_oauth2_proxy", payloads[at%len(payloads)], true)))
	}
	check(lines.Encode(row("csrf", "base64", "_oauth2_proxy_csrf_abcd", payloads[0], true)))
	check(lines.Encode(row("ticket", "base64", "_oauth2_proxy", "v2.X29hdXRoMl9wcm94eS0wMTIz.c2VjcmV0", false)))
	check(os.WriteFile(filepath.Join(*out, "oauth2-proxy-"+*version+".jsonl"), made.Bytes(), 0o644))
}

func row(name, style, cookie, payload string, encrypted bool) vector {
	id := "oauth2-proxy-" + *version + "-" + name
	source := draw(id)
	key, other := secret(source, style), secret(source, style)
	signedAt := int64(1_600_000_000) + int64(source.below(200_000_000))
	iv := source.bytes(16)
	made := func(secret, cookie string) string {
		data := []byte(payload)
		if encrypted {
			rand.Reader = bytes.NewReader(iv)
			data = must(cipherOf(secret).Encrypt(data))
		}
		return must(encryption.SignedValue(secret, cookie, data, time.Unix(signedAt, 0)))
	}
	reads := func(text string) (string, bool) {
		data, at, ok := encryption.Validate(&http.Cookie{Name: cookie, Value: text}, key, 0)
		if ok && encrypted {
			plain, err := cipherOf(key).Decrypt(data)
			data, ok = plain, err == nil
		}
		return string(data), ok && at.Unix() == signedAt
	}
	value, otherValue := made(key, cookie), made(other, cookie)
	read, ok := reads(value)
	insist(ok && read == payload, id+" is read as something else")
	made2 := vector{
		ID: id, Framework: "oauth2-proxy " + *version + ", its package encryption", Cookie: cookie, Key: key, OtherKey: other,
		Config: map[string]any{"format": "oauth2-proxy"}, Value: value, SignedAt: signedAt, Notes: map[string]string{"kind": name},
	}
	if payload[0] < 0x80 && payload[0] >= ' ' {
		made2.Payload = &payload
	}
	if encrypted {
		made2.SameSalts, made2.Drawn = otherValue, fmt.Sprintf("%x", iv)
	} else {
		made2.Config["encrypted"] = false
		made2.OtherValue = &otherValue
	}
	made2.Tampered = append(spoiled(value, source), otherValue, made(key, cookie+"x"))
	for _, text := range made2.Tampered {
		_, ok := reads(text)
		insist(!ok, id+" is accepted though tampered: "+text)
	}
	return made2
}

// One character changed in each part, parts left out, doubled and exchanged.
func spoiled(value string, source *source) []string {
	parts := strings.Split(value, "|")
	var found []string
	for at, part := range parts {
		with := func(changed ...string) string {
			return strings.Join(append(append(append([]string{}, parts[:at]...), changed...), parts[at+1:]...), "|")
		}
		spot := source.below(len(part) / 2)
		other := byte('5')
		if part[spot] == other {
			other = '6'
		}
		found = append(found, with(part[:spot]+string(other)+part[spot+1:]), with(), with(part, part), with(""))
	}
	return append(found, value[1:], value[:len(value)-1], value+"=", "x"+value, parts[1]+"|"+parts[0]+"|"+parts[2], "")
}

func secret(source *source, style string) string {
	raw := source.bytes(32)
	switch style {
	case "base64":
		return base64.URLEncoding.EncodeToString(raw)
	case "unpadded":
		return base64.RawURLEncoding.EncodeToString(raw)
	case "letters": // which are 24 bytes in base64
		return fmt.Sprintf("%x", raw[:16])
	}
	for at, letter := range raw {
		raw[at] = '!' + letter%60
	}
	raw[0] = '!' // no base64
	if style == "raw16" {
		return string(raw[:16])
	}
	return string(raw)
}

func cipherOf(secret string) encryption.Cipher {
	return must(encryption.NewCFBCipher(encryption.SecretBytes(secret)))
}

// source gives bytes that depend on the seed and a name alone.
type source struct {
	name  string
	count int
}

func draw(id string) *source { return &source{name: *seed + ":" + id} }

func (s *source) bytes(length int) []byte {
	var made []byte
	for len(made) < length {
		block := sha256.Sum256([]byte(fmt.Sprintf("%s:%d", s.name, s.count)))
		made = append(made, block[:]...)
		s.count++
	}
	return made[:length]
}

func (s *source) below(limit int) int {
	number := s.bytes(4)
	return (int(number[0])<<16 | int(number[1])<<8 | int(number[2])) * 12 % limit
}

func must[T any](made T, err error) T {
	check(err)
	return made
}

func check(err error) {
	if err != nil && err != io.EOF {
		log.Fatal("error: ", err)
	}
}

func insist(holds bool, fault string) {
	if !holds {
		log.Fatal("error: ", fault)
	}
}
