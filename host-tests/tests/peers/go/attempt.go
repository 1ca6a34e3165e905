package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// One attempt at a case.
type attempt struct {
	url      string
	atATime  int
	brief    bool
	deadline time.Time
	requests atomic.Int64
	bytes    atomic.Int64
}

func newAttempt(url string, seconds, atATime int) *attempt {
	return &attempt{
		url:      url,
		atATime:  atATime,
		brief:    seconds < 10,
		deadline: time.Now().Add(time.Duration(seconds) * time.Second),
	}
}

// Whether the time is over.
func (a *attempt) over() bool {
	return !time.Now().Before(a.deadline)
}

// The duration of a case that needs time: at least a second.
func (a *attempt) lasting() time.Duration {
	return max(time.Until(a.deadline), time.Second)
}

// The length of a download or an upload.
func (a *attempt) size(brief, full int64) int64 {
	if a.brief {
		return brief
	}
	return full
}

// Repeats work at least once, until the time is over.
func (a *attempt) repeat(work func() error) error {
	for {
		if err := work(); err != nil || a.over() {
			return err
		}
	}
}

// Runs work in this many goroutines, in each at least `least` times and until the time is over. All stop
// after the first failure.
func (a *attempt) atOnce(count, least int, work func(number int) error) error {
	var failed atomic.Bool
	return together(count, func(number int) error {
		for done := 0; done < least || !a.over(); done++ {
			if failed.Load() {
				return nil
			}
			if err := work(number); err != nil {
				failed.Store(true)
				return err
			}
		}
		return nil
	})
}

// Runs work once in each of this many goroutines; the error contains the first failures.
func together(count int, work func(number int) error) error {
	var group sync.WaitGroup
	failures := make(chan error, count)
	for number := range count {
		group.Go(func() {
			if err := work(number); err != nil {
				failures <- err
			}
		})
	}
	group.Wait()
	close(failures)
	var first []error
	total := 0
	for err := range failures {
		if total++; total <= 3 {
			first = append(first, err)
		}
	}
	if total > 3 {
		first = append(first, fmt.Errorf("%d failures in all", total))
	}
	return errors.Join(first...)
}
