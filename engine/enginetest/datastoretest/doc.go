// Package datastoretest is the suite that every data store passes, and the one for those that lock.
package datastoretest
