// Go's net/http with gorilla/sessions in a cookie.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"

	"github.com/gorilla/sessions"
)

func main() {
	store := sessions.NewCookieStore([]byte(os.Getenv("ORIGIN_KEY")))
	store.Options.Secure = true
	store.Options.HttpOnly = true

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session")
		user, ok := session.Values["user"].(string)
		if !ok {
			user = "nobody"
		}
		fmt.Fprint(w, user)
	})
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.New(r, "session")
		session.Values["user"] = r.FormValue("user")
		save(session, w, r)
	})
	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.New(r, "session")
		session.Options.MaxAge = -1
		save(session, w, r)
	})

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s http://%s\n", runtime.Version(), listener.Addr())
	panic(http.Serve(listener, nil))
}

func save(session *sessions.Session, w http.ResponseWriter, r *http.Request) {
	if err := session.Save(r, w); err != nil {
		panic(err)
	}
	http.Redirect(w, r, "/", http.StatusFound)
}
