// Scenarios for the official Go client v2, with the output lines of the Java runner.
//
//	go-scenarios <namesrvAddr> <scenario or group...>
//
// The broker's address, needed to create topics, is in INTEROP_BROKER.
package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

type scenario struct {
	group   string
	name    string
	timeout time.Duration
	run     func(*world) error
}

const atOnce = 4

func main() {
	rlog.SetLogLevel("error")
	if len(os.Args) < 3 || os.Getenv("INTEROP_BROKER") == "" {
		fmt.Fprintln(os.Stderr, "usage: INTEROP_BROKER=<addr> go-scenarios <namesrvAddr> <scenario or group...>")
		os.Exit(2)
	}
	chosen, unknown := choose(os.Args[2:])
	if len(unknown) > 0 {
		fmt.Fprintln(os.Stderr, "no such scenario or group:", strings.Join(unknown, ", "))
		os.Exit(2)
	}
	for _, s := range chosen {
		fmt.Println("PLAN", s.name)
	}
	if !runAll(os.Args[1], os.Getenv("INTEROP_BROKER"), chosen) {
		os.Exit(1)
	}
}

func choose(wanted []string) (chosen []scenario, unknown []string) {
	for _, w := range wanted {
		known := false
		for _, s := range catalogue() {
			if s.name == w || s.group == w {
				known = true
				chosen = append(chosen, s)
			}
		}
		if !known {
			unknown = append(unknown, w)
		}
	}
	return chosen, unknown
}

func runAll(namesrv, broker string, chosen []scenario) bool {
	var mu sync.Mutex
	var wg sync.WaitGroup
	passed := true
	slots := make(chan struct{}, atOnce)
	for _, s := range chosen {
		slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer func() { <-slots; wg.Done() }()
			start := time.Now()
			err := runOne(namesrv, broker, s)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				fmt.Println("PASS", s.name)
			} else {
				passed = false
				fmt.Printf("FAIL %s: %s\n", s.name, strings.Join(strings.Fields(err.Error()), " "))
			}
			fmt.Fprintln(os.Stderr, s.name, "took", time.Since(start))
		}()
	}
	wg.Wait()
	return passed
}

func runOne(namesrv, broker string, s scenario) error {
	w := &world{namesrv: namesrv, broker: broker, scenario: s.name}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("panic: %v", r)
			}
		}()
		done <- s.run(w)
	}()
	var err error
	select {
	case err = <-done:
	case <-time.After(s.timeout):
		err = fmt.Errorf("not done in %s", s.timeout)
	}
	closed := make(chan struct{})
	go func() { w.close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		if err == nil {
			err = fmt.Errorf("clients did not shut down in 20 s")
		}
	}
	return err
}
