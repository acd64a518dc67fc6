done-flags-acknowledged = The flag is acknowledged.
done-flags-under-review = The review has begun.
done-flags-upheld = The flag is upheld.
done-flags-dismissed = The flag is dismissed.
done-flags-explained = The explanation is recorded.
