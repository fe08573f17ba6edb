//! Fetches in versions 0 and 1.

use git::Boundary;
use git_wire::{Have, MultiAck, Negotiation, Next, Turn, UploadReader, shallow_lines};

use super::{Stop, Upload, flush, send_pack};
use crate::transfer::output::Banded;
use crate::transfer::{Output, Packets};

impl Upload {
    pub(super) async fn serve_v0(&self, packets: &mut Packets, output: &Output) -> Result<(), Stop> {
        let mut reader = UploadReader::new(self.format);
        // A client that asks for nothing only looked.
        let request = packets.until(|packet| reader.packet(packet)).await?;
        let Some(request) = request.filter(|request| !request.fetch.wants.is_empty()) else { return Ok(()) };
        self.check(&request.fetch.wants).await?;
        let mut out = Vec::new();
        let boundary = self.boundary(&request.fetch).await?;
        if let Some(Boundary { shallow, unshallow }) = &boundary {
            shallow_lines(&mut out, shallow, unshallow, false);
            flush(&mut out, output).await?;
        }
        let mut negotiation = Negotiation::new(self.format, request.multi_ack, request.no_done);
        let mut common = Vec::new();
        loop {
            packets.begin();
            let Some((haves, turn)) = packets.until(|packet| negotiation.packet(packet)).await? else {
                // The client goes on in another request, or has what it came for.
                return Ok(());
            };
            let known = self.known(haves.clone()).await?;
            let haves: Vec<_> = haves.into_iter().zip(known).map(|(id, common)| Have { id, common }).collect();
            common.extend(haves.iter().filter(|have| have.common).map(|have| have.id));
            let asks = turn == Turn::Flush && request.multi_ack != MultiAck::Single && !common.is_empty();
            let ready = asks && self.repository.ready(request.fetch.wants.clone(), common.clone()).await?;
            let next = negotiation.acknowledge(&haves, ready, turn, &mut out);
            flush(&mut out, output).await?;
            match next {
                Next::Pack => break,
                Next::Client if self.stateless => return Ok(()),
                Next::Client => {}
            }
        }
        let to = Banded { output, side_band: request.side_band, verbose: !request.fetch.no_progress };
        send_pack(self.pack(request.fetch, common, boundary)?, &to).await
    }
}
