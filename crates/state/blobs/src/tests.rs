//! Blobs in directories, written, read, damaged, listed and swept.

mod bucket;
mod content;
mod damage;
mod faults;
mod fixture;
mod references;
mod sweep;
