// Package insecure holds real servers that verify nothing to the suite of package realfleettest. It is
// a package of its own because that is a matter of the whole process, see realfleet.Insecure.
package insecure
