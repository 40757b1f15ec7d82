//! Who reads when, and who may not.

use std::pin::pin;

use futures_util::FutureExt;

use super::*;

const MEGAPIXEL: usize = 1_000_000;

fn place(queue: &PhotoQueue, device: u8) -> Place {
    queue.place([device; 32]).unwrap_or_else(|NoPlace| panic!("device {device} has no place"))
}

#[test]
fn a_device_has_two_places_and_they_come_back() {
    let queue = PhotoQueue::default();
    let (first, _second) = (place(&queue, 1), place(&queue, 1));
    assert!(queue.place([1; 32]).is_err());
    drop(place(&queue, 2));
    drop(first);
    drop(place(&queue, 1));
    assert_eq!(queue.photos().devices.len(), 1);
}

#[test]
fn large_bodies_leave_room_for_small_ones() {
    let queue = PhotoQueue::default();
    let mut places: Vec<Place> = (0..8).map(|device| place(&queue, device)).collect();
    let megabyte = 1024 * 1024;
    let taken = places.iter_mut().map(|place| (0..8).take_while(|_| place.add_bytes(megabyte).is_ok()).count());
    assert_eq!(taken.collect::<Vec<_>>(), [8, 8, 8, 8, 8, 8, 8, 4]);
    let mut small = place(&queue, 9);
    assert!(small.add_bytes(megabyte).is_ok());
    drop((small, places));
    assert_eq!(queue.photos().bytes, 0);
}

#[test]
fn small_photos_come_first_and_each_device_in_its_turn() {
    let queue = PhotoQueue::default();
    let reading = place(&queue, 0);
    let turn = reading.turn(MEGAPIXEL).now_or_never().unwrap().unwrap();
    let places = [place(&queue, 1), place(&queue, 1), place(&queue, 2), place(&queue, 3)];
    let pixels = [2 * MEGAPIXEL, 2 * MEGAPIXEL, 3 * MEGAPIXEL, 1];
    let mut waiting: Vec<_> = places.iter().zip(pixels).map(|(place, pixels)| Box::pin(place.turn(pixels))).collect();
    assert!(waiting.iter_mut().all(|one| one.as_mut().now_or_never().is_none()));
    let mut turn = turn;
    for next in [3, 0, 2, 1] {
        drop(turn);
        turn = waiting[next].as_mut().now_or_never().unwrap_or_else(|| panic!("{next} is next")).unwrap();
    }
}

#[test]
fn a_small_photo_waits_for_one_large_one_however_long_those_have_waited() {
    let queue = PhotoQueue::default();
    let places: Vec<Place> = (0..6).flat_map(|device| [place(&queue, device), place(&queue, device)]).collect();
    let mut turn = places[0].turn(25 * MEGAPIXEL).now_or_never().unwrap().unwrap();
    let mut large: Vec<_> = places[1..].iter().map(|place| Box::pin(place.turn(25 * MEGAPIXEL))).collect();
    assert!(large.iter_mut().all(|one| one.as_mut().now_or_never().is_none()));
    for device in 10..20 {
        let place = place(&queue, device);
        let mut small = pin!(place.turn(MEGAPIXEL));
        assert!(small.as_mut().now_or_never().is_none());
        drop(turn);
        drop(small.now_or_never().unwrap_or_else(|| panic!("the small one is next")).unwrap());
        let mut begun = large.iter_mut().enumerate().filter_map(|(n, one)| Some((n, one.as_mut().now_or_never()?)));
        let (n, next) = begun.next().unwrap_or_else(|| panic!("a large one is next"));
        turn = next.unwrap();
        drop(large.remove(n));
    }
}

#[test]
fn the_last_in_order_is_refused_and_who_has_gone_is_passed_over() {
    let queue = PhotoQueue::default();
    let places: Vec<Place> = (0..20).map(|device| place(&queue, device)).collect();
    let turn = places[0].turn(1).now_or_never().unwrap().unwrap();
    let mut large = pin!(places[1].turn(25 * MEGAPIXEL));
    assert!(large.as_mut().now_or_never().is_none());
    let mut small: Vec<_> = places[2..=MOST_WAITING].iter().map(|place| Box::pin(place.turn(MEGAPIXEL))).collect();
    assert!(small.iter_mut().all(|one| one.as_mut().now_or_never().is_none()));
    let mut one_more = pin!(places[MOST_WAITING + 1].turn(MEGAPIXEL));
    assert!(one_more.as_mut().now_or_never().is_none());
    assert_eq!(large.now_or_never().map(Result::err), Some(Some(NoPlace)));
    small.clear();
    drop(turn);
    assert!(one_more.now_or_never().is_some_and(|turn| turn.is_ok()));
    assert!(!queue.photos().is_reading);
}
