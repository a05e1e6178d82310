// Go's net/http with a cookie of gorilla/securecookie, encrypted where the argument is the key for that.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"

	"github.com/gorilla/securecookie"
)

func main() {
	var blockKey []byte
	if len(os.Args) > 1 {
		blockKey = []byte(os.Args[1])
	}
	signed := securecookie.New([]byte(os.Getenv("ORIGIN_KEY")), blockKey)

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		user := "nobody"
		if cookie, err := r.Cookie("user"); err == nil {
			signed.Decode("user", cookie.Value, &user)
		}
		fmt.Fprint(w, user)
	})
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		value, err := signed.Encode("user", r.FormValue("user"))
		if err != nil {
			panic(err)
		}
		http.SetCookie(w, &http.Cookie{Name: "user", Value: value, Path: "/", HttpOnly: true, Secure: true, MaxAge: 2592000})
		http.Redirect(w, r, "/", http.StatusFound)
	})
	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "user", Path: "/", MaxAge: -1})
		http.Redirect(w, r, "/", http.StatusFound)
	})

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s http://%s\n", runtime.Version(), listener.Addr())
	panic(http.Serve(listener, nil))
}
